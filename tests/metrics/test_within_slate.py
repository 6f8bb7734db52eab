import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from lis_online.metrics.within_slate import within_slate_auc

SLATE = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 1)), max_size=8)


@settings(max_examples=80, deadline=None)
@given(st.lists(SLATE, max_size=6))
def test_auc_of_each_slate_equals_that_of_a_full_sort(slates: list[list[tuple[int, int]]]) -> None:
    """A slate's AUC counts ties one half; a slate with one label, or none, has 0."""
    logits = np.array([[float(x) for slate in slates for x, _ in slate]]).reshape(1, -1)
    label = np.array([y for slate in slates for _, y in slate], np.uint8)
    sizes = np.array([len(slate) for slate in slates], np.int64)
    found = within_slate_auc(np.concatenate([logits, -logits]), label, np.cumsum(sizes) - sizes, sizes)
    for k, slate in enumerate(slates):
        mixed = len({y for _, y in slate}) == 2
        expected = roc_auc_score([y for _, y in slate], [x for x, _ in slate]) if mixed else 0.0
        np.testing.assert_allclose(found[:, k], [expected, 1 - expected if mixed else 0.0], atol=1e-12)
