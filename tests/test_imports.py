"""No module imports, by whatever way, one that imports it; not even for types."""

from collections.abc import Iterator

import grimp


def circles(graph: grimp.ImportGraph, of: str) -> Iterator[tuple[str, ...]]:
    for imported in sorted(graph.find_modules_directly_imported_by(of)):
        way = graph.find_shortest_chain(imported, of)
        if way:
            yield (of, *way)


def test_there_is_no_circle_of_imports() -> None:
    """But for the package itself, which names what its modules hold, and holds the version that they name."""
    graph = grimp.build_graph("scanner")
    graph.remove_module("scanner")
    assert [circle for module in sorted(graph.modules) for circle in circles(graph, module)] == []
