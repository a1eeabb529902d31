"""A message arrives, or its sender says why not, without the address, which is a secret."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import boto3
import pytest

from scanner.aws.publish import Publisher
from scanner.config.settings import NotifySettings, ScannerConfig
from scanner.errors import ConfigError
from scanner.notify.addresses import name_of, senders_of
from scanner.notify.message import Message
from scanner.notify.senders import SIGNATURE, DeliveryFailed, Sender
from tests.aws.test_s3 import moto_url, s3

from .peers import Peer, peer

__all__ = ["moto_url", "s3"]
MESSAGE = Message("subject – Ж", "the text", {"a": 1}, wrong=True, scan_id="scan-1")
TOKEN = "very-secret-token-4711"


@pytest.fixture
def web() -> Iterator[Peer]:
    with peer() as found:
        yield found


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    async with Publisher.opened(ScannerConfig()) as found:
        yield found


def sender(publisher: Publisher, url: str, environ: dict[str, str] | None = None, **more: Any) -> Sender:
    settings = NotifySettings.model_validate({"urls": [url], "timeout": "10s", **more})
    ((_, found),) = senders_of(settings, environ or {}, publisher, "scanner.toml: notify.urls")
    return found


async def test_a_webhook_gets_json_signed_with_the_secret(publisher: Publisher, web: Peer) -> None:
    found = sender(publisher, "${HOOK}", {"HOOK": f"{web.url}/{TOKEN}", "KEY": "s3cret"}, secret="${KEY}")
    await found.send(MESSAGE)
    (taken,) = web.taken
    assert (taken.path, json.loads(taken.body)) == (f"/{TOKEN}", {"a": 1})
    expected = hmac.new(b"s3cret", taken.body, hashlib.sha256).hexdigest()
    assert taken.headers[SIGNATURE] == f"sha256={expected}"
    assert found.name == "${HOOK}"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500, 503])
async def test_a_redirect_or_an_error_is_no_success_and_is_not_followed(
    publisher: Publisher, web: Peer, status: int
) -> None:
    web.status = status
    with pytest.raises(DeliveryFailed, match=str(status)) as caught:
        await sender(publisher, f"{web.url}/{TOKEN}").send(MESSAGE)
    assert len(web.taken) == 1
    assert TOKEN not in str(caught.value)


async def test_one_that_never_answers_is_left_in_time(publisher: Publisher, web: Peer) -> None:
    web.status = 0
    with pytest.raises(DeliveryFailed, match="no answer in time"):
        await sender(publisher, web.url, timeout="200ms").send(MESSAGE)


async def test_an_answer_without_end_is_not_read(publisher: Publisher, web: Peer) -> None:
    web.endless = True
    await sender(publisher, web.url).send(MESSAGE)


async def test_nobody_there_is_told_without_the_address(publisher: Publisher) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await sender(publisher, f"http://127.0.0.1:1/{TOKEN}").send(MESSAGE)
    assert TOKEN not in str(caught.value)


async def test_apprise_reaches_its_services_and_follows_no_redirect(publisher: Publisher, web: Peer) -> None:
    url = web.url.replace("http", "json") + f"/{TOKEN}"
    await sender(publisher, url).send(MESSAGE)
    assert json.loads(web.taken[0].body)["message"] == "the text"
    web.status = 302
    with pytest.raises(DeliveryFailed, match="did not take"):
        await sender(publisher, url).send(MESSAGE)


async def test_what_apprise_logs_holds_no_secret(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DeliveryFailed):
        await sender(publisher, f"json://user:{TOKEN}@127.0.0.1:1/{TOKEN}").send(MESSAGE)
    assert TOKEN not in "".join(record.getMessage() for record in caplog.records if record.levelno >= 30)


async def test_a_topic_gets_the_text_and_a_bus_the_data(publisher: Publisher, s3: Any) -> None:
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:heard"
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    await sender(publisher, topic).send(MESSAGE)
    (heard,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(heard["Body"])
    assert (body["Message"], body["Subject"]) == ("the text", "subject ? ?")
    await sender(publisher, "arn:aws:events:us-east-1:123456789012:event-bus/default").send(MESSAGE)


async def test_a_topic_that_is_not_there_is_told_with_the_remedy(publisher: Publisher, s3: Any) -> None:
    with pytest.raises(DeliveryFailed, match="create the topic"):
        await sender(publisher, "arn:aws:sns:us-east-1:123456789012:gone").send(MESSAGE)


async def test_an_entry_that_the_bus_did_not_take_is_no_success(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(*_: Any, **__: Any) -> dict[str, Any]:
        return {
            "FailedEntryCount": 1,
            "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}],
        }

    monkeypatch.setattr("scanner.aws.base_client.BaseClient.call", answer)
    with pytest.raises(DeliveryFailed, match="ThrottlingException: slow"):
        await sender(publisher, "arn:aws:events:us-east-1:123456789012:event-bus/default").send(MESSAGE)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("${UNSET}", r"UNSET is not set"),
        ("https://", "names no host"),
        ("file:///etc/passwd", "reads files"),
        ("syslog://", "reads files"),
        ("dbus://", "reads files"),
        ("sns://key/secret/us-east-1/topic", "ARN of SNS"),
        (f"mailto://u:{TOKEN}@example.org?attach=/etc/passwd", "are not read"),
        (f"slack://{TOKEN}/?template=/etc/passwd", "are not read"),
        (f"nonsense://{TOKEN}", "no address that apprise knows"),
        (f"slack://{TOKEN}", "no address that apprise knows"),
        (TOKEN, "is no address"),
        ("arn:aws:sqs:us-east-1:123456789012:queue", "neither an SNS topic"),
        ("", "is no address"),
    ],
)
async def test_an_address_that_cannot_be_used_is_an_error_without_its_secrets(
    publisher: Publisher, url: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        sender(publisher, url)
    assert "scanner.toml: notify.urls" in str(caught.value)
    assert TOKEN not in str(caught.value) + caplog.text


async def test_clear_text_is_warned_of_unless_it_stays_on_this_machine(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    sender(publisher, "http://127.0.0.1/x")
    assert caplog.text == ""
    sender(publisher, f"http://hooks.example.org/{TOKEN}")
    assert "clear text" in caplog.text
    assert TOKEN not in caplog.text


def test_a_name_holds_nothing_but_a_scheme_and_the_host_of_a_web_address() -> None:
    assert name_of(f"https://user:{TOKEN}@hooks.example.org/{TOKEN}") == "https://hooks.example.org/..."
    assert name_of(f"slack://{TOKEN}/b/c") == "slack://.../..."
    assert TOKEN not in repr(NotifySettings(urls=(TOKEN,), secret=TOKEN, ping_url=TOKEN))
