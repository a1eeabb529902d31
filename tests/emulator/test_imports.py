"""What the import rules of pyproject.toml cannot say: no circle within a room, either."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp


def test_no_modules_import_each_other_in_a_circle_not_even_for_their_types() -> None:
    graph = grimp.build_graph("scanner", exclude_type_checking_imports=False)
    modules = {name for name in graph.modules if name.startswith("scanner.emulator")}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    # Raises CycleError, which names the circle.
    assert list(TopologicalSorter(imports).static_order())
