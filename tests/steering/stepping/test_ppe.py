"""The published method's configuration."""

import paretonav as pn
from paretonav.steering.stepping.correctors import MGDA
from paretonav.steering.stepping.predictors import PublishedProjection


def test_the_defaults_are_the_settings_of_the_paper() -> None:
    configuration = pn.ppe()
    predictor, corrector = configuration["predictor"], configuration["corrector"]
    assert isinstance(predictor, PublishedProjection)
    assert isinstance(corrector, MGDA)
    assert (predictor.step, predictor.tries) == (0.01, 10)
    assert (corrector.epochs, corrector.batch_size, corrector.learning_rate) == (15, 256, 1e-3)
    geometry = configuration["geometry"]
    assert (geometry.curvature, geometry.samples) == ("exact", 256)
    assert (geometry.damping, geometry.max_iterations) == (0.1, 100)
    assert (configuration["approach"].learning_rate, configuration["approach"].momentum) == (0.01, 0.9)
