"""What a worker sends back is told as its own scan would have told it."""

import zlib
from io import BytesIO

from hypothesis import given

from scanner.inventory.collect import Collector
from scanner.inventory.events import (
    Event,
    FailureSeen,
    GatewayEnded,
    TargetEnded,
    TargetPlanned,
    VolumesSeen,
    records_in,
)
from scanner.inventory.model import Inventory
from scanner.output.ndjson import NdjsonWriter
from scanner.scale.replay import part_of, replay
from scanner.summary.statistics import Statistics
from tests.engine.simulated import SimulatedService, config, events_of
from tests.output.fleet import inventory
from tests.strategies import inventories
from tests.virtual import run


def collected(events: list[Event]) -> Inventory:
    collector = Collector()
    for event in events:
        collector.add(event)
    return collector.inventory()


@given(inventories())
def test_a_part_comes_back_as_it_was(whole: Inventory) -> None:
    volumes = {one.arn: [v for v in whole.volumes if v.gateway_arn == one.arn] for one in whole.gateways}
    events: list[Event] = [GatewayEnded(one, tuple(volumes[one.arn])) for one in whole.gateways]
    events += [FailureSeen(one) for one in whole.failures]
    for one in whole.targets:
        events += [TargetPlanned(one.account_id, one.account_name, one.region), TargetEnded(one)]
    part = part_of(events, whole.scan, whole.coverage.calls)
    assert collected(list(replay(part, "part.ndjson"))) == whole


def test_its_statistics_are_those_of_the_scan() -> None:
    """Progress, summary and exit code follow from these."""
    events = run(events_of(config(3, ("us-east-1", "eu-west-1")), SimulatedService()))[0]
    here, there = Statistics(), Statistics()
    for event in events:
        here.add(event)
    assert here.ended
    for event in replay(part_of(events[:-1], here.ended.scan, here.ended.calls), "part.ndjson"):
        there.add(event)
    assert here == there


def test_volumes_without_a_gateway_stay_apart_from_the_gateway_before_them() -> None:
    whole = inventory(1, 2)
    one, other = whole.volumes[0], whole.volumes[2].model_copy(update={"gateway_arn": None})
    (gateway,) = [each for each in whole.gateways if each.arn == one.gateway_arn]
    events = list(replay(_lines(GatewayEnded(gateway, (one,)), VolumesSeen((other,))), "part.ndjson"))
    assert events == [GatewayEnded(gateway, (one,)), VolumesSeen((other,))]


def _lines(*events: Event) -> bytes:
    stream = BytesIO()
    for event in events:
        for record in records_in(event):
            NdjsonWriter(stream).write(record)
    return zlib.compress(stream.getvalue())
