"""No module imports another that imports it, at its head or within a function; what types name is not imported."""

from graphlib import TopologicalSorter

import grimp

PACKAGES = ("cupel", "assets", "expectations", "orchestration", "samples", "benchmarks")


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    modules = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(modules).prepare()
