"""Steps are measured in processes of their own."""

from torch import nn, ones

from benchmarks.steps import benchmark_steps

SIZES = dict(small=1, large=3000)


def build(way):
    model = nn.Linear(SIZES[way], SIZES[way])
    return model, lambda: model(ones(1, SIZES[way])).sum()


def test_each_way_has_its_time_and_its_own_memory():
    rates = benchmark_steps(build, list(SIZES), iterations=2)
    assert list(rates) == list(SIZES)
    assert all(rate['seconds'] > 0 for rate in rates.values())
    # The gradient of 9 million weights, which the small one's process never saw.
    assert rates['large']['peak_bytes'] - rates['small']['peak_bytes'] > 20e6
