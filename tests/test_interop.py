"""Networks that occhio trains (extra `[interop]`): its conventions are ours, and they compare."""

from __future__ import annotations

import numpy as np
import pytest

import phasediagram as phd
from phasediagram.kernel.tables import activity_table

torch = pytest.importorskip("torch", reason="needs the extra [interop]")
pytest.importorskip("occhio", reason="needs the extra [interop]")
autoencoder = pytest.importorskip("occhio.autoencoder")
distributions = pytest.importorskip("occhio.distributions")
toy_model = pytest.importorskip("occhio.toy_model")

SAMPLES = 200_000
DENSITY = 0.3
PAIRS = (0, 1), (2, 3)
LAWS = {
    "independent": (
        lambda g: distributions.SparseUniform(4, DENSITY, generator=g),
        phd.ToyModel(4, 2),
    ),
    "correlated": (
        lambda g: distributions.CorrelatedPairs(4, density=DENSITY, correlation=0.4, generator=g),
        phd.ToyModel(4, 2, groups=[phd.correlated(*f, correlation=0.4) for f in PAIRS]),
    ),
    "wholly correlated": (
        lambda g: distributions.CorrelatedPairs(4, density=DENSITY, correlation=1.0, generator=g),
        phd.ToyModel(4, 2, groups=[phd.correlated(*f) for f in PAIRS]),
    ),
    "anticorrelated": (
        lambda g: distributions.AnticorrelatedPairs(4, p_active=DENSITY, generator=g),
        phd.ToyModel(4, 2, groups=[phd.anticorrelated(*f) for f in PAIRS]),
    ),
    "hierarchical": (
        lambda g: distributions.HierarchicalPairs(4, p_active=DENSITY, p_follow=0.6, generator=g),
        phd.ToyModel(4, 2, groups=[phd.hierarchical(*f, follow=0.6) for f in PAIRS]),
    ),
}


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("case", LAWS)
def test_its_features_have_our_law(case, generator):
    """Which are active, within 5 standard errors; values uniform on [0, 1] and uncorrelated."""
    make, model = LAWS[case]
    x = make(generator).sample(SAMPLES).double().numpy()
    sets = ((x > 0) << np.arange(4)).sum(axis=1)
    found = np.bincount(sets, minlength=16) / SAMPLES
    expected = activity_table(model, np.full(4, DENSITY))
    error = np.sqrt(expected * (1 - expected) / SAMPLES)
    assert (np.abs(found - expected) <= 5 * error + 1e-6).all()
    values = x[x > 0]
    for power in (1, 2, 4):
        mean, spread = 1 / (power + 1), np.sqrt(1 / (2 * power + 1) - 1 / (power + 1) ** 2)
        assert abs((values**power).mean() - mean) <= 5 * spread / np.sqrt(len(values))
    together = x[(x[:, 0] > 0) & (x[:, 1] > 0)]
    if len(together):
        assert abs(np.corrcoef(together[:, 0], together[:, 1])[0, 1]) < 5 / np.sqrt(len(together))


@pytest.mark.parametrize("case", LAWS)
def test_its_loss_is_ours(case, generator):
    """Of a network at random, on samples, within 5 standard errors of the exact loss."""
    make, model = LAWS[case]
    network = autoencoder.TiedLinearRelu(4, 2, generator=generator)
    x = make(generator).sample(SAMPLES)
    importances = torch.tensor([1.0, 0.5, 2.0, 1.5])
    with torch.no_grad():
        network.b += 0.1 * torch.randn(4, generator=generator)
        output = network(x)[0]
        found = float(network.loss(x, output, importances))
        each = (importances * (x - output) ** 2).sum(dim=1)
        error = float(each.std()) / np.sqrt(SAMPLES)
        W, b = (getattr(network, name).double().numpy() for name in ("W", "b"))
    exact = phd.expected_loss(W, b, DENSITY, importances.numpy(), model=model)
    assert abs(found - exact) < 5 * error


@pytest.mark.parametrize("case", ["independent", "correlated", "hierarchical"])
def test_its_networks_end_in_our_minima_and_never_below(case, generator):
    make, model = LAWS[case]
    networks = []
    for _ in range(3):
        network = autoencoder.TiedLinearRelu(4, 2, generator=generator)
        trained = toy_model.ToyModel(make(generator), network, generator=generator)
        for rate in (1e-2, 1e-3):
            optimizer = torch.optim.Adam(network.parameters(), lr=rate)
            trained.fit(1500, batch_size=512, optimizer=optimizer, track_losses=False)
        networks.append(network)
    W, b = (
        np.stack([getattr(network, name).detach().double().numpy() for network in networks])
        for name in ("W", "b")
    )
    agreement = phd.compare_weights(W, b, DENSITY, 1.0, model=model)
    assert agreement.optimal
    assert (agreement.excess > 0).all()  # of weights in single precision, trained on samples
    assert (agreement.excess < 0.05 * agreement.theory_loss).any()
    assert (agreement.outcome != "diverged").all()
