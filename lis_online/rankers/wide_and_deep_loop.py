"""What stands between the matrix products of the wide-and-deep network on a CPU, forward and back, one pass each.

Torch's operations read and write every number of a layer once for each of a dozen of them; here once in each
direction. Rankers lie apart in every array, and each is computed by itself. float32 everywhere.

Columns of the first layer's input, E wide each: user, item, author, category, user * item, user * author,
user * category; then the features, dense and side.
"""

from __future__ import annotations

import numpy as np

from lis_online.compiled import compiled


@compiled
def build(
    x: np.ndarray,
    first: int,
    rows: np.ndarray,
    user: np.ndarray,
    item: np.ndarray,
    author: np.ndarray,
    category: np.ndarray,
    dense: np.ndarray,
    side: np.ndarray,
) -> None:
    """Fill the first layer's input, [rankers, samples, width], of rankers from `first` on.

    rows: int64 [4, samples]; user, item, author, category: tables [rows, rankers, E + 1]; dense: [samples, D];
    side: [rankers, samples, S].
    """
    e, wide, narrow = user.shape[2] - 1, dense.shape[1], side.shape[2]
    for n in range(x.shape[1]):
        u, i, a, c = rows[0, n], rows[1, n], rows[2, n], rows[3, n]
        for r in range(x.shape[0]):
            to, at = x[r, n], first + r
            for k in range(e):
                of_user = user[u, at, k]
                to[k] = of_user
                to[e + k] = item[i, at, k]
                to[2 * e + k] = author[a, at, k]
                to[3 * e + k] = category[c, at, k]
                to[4 * e + k] = of_user * item[i, at, k]
                to[5 * e + k] = of_user * author[a, at, k]
                to[6 * e + k] = of_user * category[c, at, k]
            for k in range(wide):
                to[7 * e + k] = dense[n, k]
            for k in range(narrow):
                to[7 * e + wide + k] = side[r, n, k]


@compiled
def activate(hidden: np.ndarray, bias: np.ndarray) -> None:
    """Add a layer's bias, [rankers, 1, units], and cut below 0, in place. What is not a number stays so."""
    for r in range(hidden.shape[0]):
        for n in range(hidden.shape[1]):
            for k in range(hidden.shape[2]):
                value = hidden[r, n, k] + bias[r, 0, k]
                hidden[r, n, k] = np.float32(0) if value <= 0 else value


@compiled
def dot(one: np.ndarray, other: np.ndarray) -> np.float32:
    """Return the inner product of two vectors, summed in four strands."""
    a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    whole = len(one) // 4 * 4
    for k in range(0, whole, 4):
        a += one[k] * other[k]
        b += one[k + 1] * other[k + 1]
        c += one[k + 2] * other[k + 2]
        d += one[k + 3] * other[k + 3]
    for k in range(whole, len(one)):
        a += one[k] * other[k]
    return (a + b) + (c + d)


@compiled
def score(
    logits: np.ndarray,
    hidden: np.ndarray,
    x: np.ndarray,
    first: int,
    rows: np.ndarray,
    user: np.ndarray,
    item: np.ndarray,
    author: np.ndarray,
    category: np.ndarray,
    out: np.ndarray,
    wide: np.ndarray,
    offset: np.ndarray,
) -> None:
    """Fill the logits, [rankers, samples]: the last layer, the linear path, and each table's last column."""
    e = user.shape[2] - 1
    for n in range(x.shape[1]):
        u, i, a, c = rows[0, n], rows[1, n], rows[2, n], rows[3, n]
        for r in range(x.shape[0]):
            at = first + r
            direct = user[u, at, e] + item[i, at, e] + author[a, at, e] + category[c, at, e]
            deep = dot(hidden[r, n], out[r, 0])
            linear = dot(x[r, n, 7 * e :], wide[r, 0])
            logits[r, n] = deep + linear + direct + offset[r, 0]


@compiled
def back_from_score(
    residual: np.ndarray,
    hidden: np.ndarray,
    x: np.ndarray,
    out: np.ndarray,
    to_hidden: np.ndarray,
    to_out: np.ndarray,
    to_wide: np.ndarray,
    to_offset: np.ndarray,
) -> None:
    """Fill the last layer's gradients. residual: of the logits, [rankers, samples]; to_out, ...: begin at 0."""
    first = x.shape[2] - to_wide.shape[2]
    for r in range(x.shape[0]):
        for n in range(x.shape[1]):
            g = residual[r, n]
            to_offset[r, 0] += g
            for k in range(hidden.shape[2]):
                to_out[r, 0, k] += g * hidden[r, n, k]
                to_hidden[r, n, k] = g * out[r, 0, k]
            for k in range(to_wide.shape[2]):
                to_wide[r, 0, k] += g * x[r, n, first + k]


@compiled
def back_from_activation(gradient: np.ndarray, hidden: np.ndarray, to_bias: np.ndarray) -> None:
    """Let no gradient through where a unit is silent, in place; add up the bias's, which begins at 0."""
    for r in range(hidden.shape[0]):
        for n in range(hidden.shape[1]):
            for k in range(hidden.shape[2]):
                value = np.float32(0) if hidden[r, n, k] <= 0 else gradient[r, n, k]
                gradient[r, n, k] = value
                to_bias[r, 0, k] += value


@compiled
def back_to_tables(
    residual: np.ndarray,
    gradient: np.ndarray,
    x: np.ndarray,
    to_user: np.ndarray,
    to_item: np.ndarray,
    to_author: np.ndarray,
    to_category: np.ndarray,
) -> None:
    """Fill the gradients of the tables' rows, [samples, rankers, E + 1]. gradient: of x, its first 7 E columns."""
    e = to_user.shape[2] - 1
    for n in range(x.shape[1]):
        for r in range(x.shape[0]):
            of, g = x[r, n], gradient[r, n]
            for k in range(e):
                item, author, category = g[4 * e + k], g[5 * e + k], g[6 * e + k]
                crossed = item * of[e + k] + author * of[2 * e + k] + category * of[3 * e + k]
                to_user[n, r, k] = g[k] + crossed
                to_item[n, r, k] = g[e + k] + item * of[k]
                to_author[n, r, k] = g[2 * e + k] + author * of[k]
                to_category[n, r, k] = g[3 * e + k] + category * of[k]
            for to in (to_user, to_item, to_author, to_category):
                to[n, r, e] = residual[r, n]
