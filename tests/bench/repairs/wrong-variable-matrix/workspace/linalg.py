"""Tiny dense matrices as lists of rows."""


def shape(m):
    return len(m), len(m[0])


def transpose(m):
    return [list(col) for col in zip(*m)]


def identity(n):
    return [[int(i == j) for j in range(n)] for i in range(n)]


def matmul(a, b):
    rows, inner = shape(a)
    inner_b, cols = shape(b)
    if inner != inner_b:
        raise ValueError(f"cannot multiply {rows}x{inner} by {inner_b}x{cols}")
    out = [[0] * cols for _ in range(rows)]
    for i in range(rows):
        for j in range(cols):
            for k in range(rows):
                out[i][j] += a[i][k] * b[k][j]
    return out


def power(m, n):
    if n < 0:
        raise ValueError("negative power")
    result = identity(len(m))
    for _ in range(n):
        result = matmul(result, m)
    return result
