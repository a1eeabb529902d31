"""The rooms of the emulator build on each other one way."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp

ROLES = ["fleets", "protocol", "state", "services", "faults", "server"]


def test_no_modules_import_each_other_in_a_circle_not_even_for_their_types() -> None:
    graph = grimp.build_graph("scanner", exclude_type_checking_imports=False)
    modules = {name for name in graph.modules if name.startswith("scanner.emulator")}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    # Raises CycleError, which names the circle.
    assert list(TopologicalSorter(imports).static_order())


def test_a_role_imports_only_those_before_it() -> None:
    graph = grimp.build_graph("scanner", exclude_type_checking_imports=False)
    for number, role in enumerate(ROLES):
        for later in ROLES[number + 1 :]:
            chain = graph.find_shortest_chain(
                f"scanner.emulator.{role}", f"scanner.emulator.{later}", as_packages=True
            )
            assert chain is None, chain
