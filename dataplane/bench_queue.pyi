from dataplane.bench_meter import Reading

HAS_RTE_RING: bool

def queue_run(kind: int, pairs: int, batch: int) -> Reading: ...

class HopBench:
    """Messages between two cores and back; each run is 100,000 round trips."""

    def run(self, kind: int) -> Reading: ...
