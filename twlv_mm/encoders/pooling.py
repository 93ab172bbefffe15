"""From tokens to one vector a clip, or one a frame.

Each function takes tokens (N, L, D) in the order class token (where the architecture has one), then patches by time,
height, width; and the grid (T', H', W') of the patches.
"""


def _patches(tokens, grid):
    return tokens[:, tokens.shape[1] - grid[0] * grid[1] * grid[2] :]


def mean(tokens, grid):
    """Mean of the patch tokens: (N, D). Source: TWLV-I section 2.1 ("subsequently pooled")."""
    return _patches(tokens, grid).mean(dim=1)


def frame(tokens, grid):
    """Mean over space that keeps time: (N, T', D). Source: TWLV-I section 2.6 (spatial pooling)."""
    return _patches(tokens, grid).unflatten(1, (grid[0], grid[1] * grid[2])).mean(dim=2)


def class_token(tokens, grid):
    """The class token: (N, D).

    Raises:
        ValueError: if the architecture has no class token.
    """
    if tokens.shape[1] == grid[0] * grid[1] * grid[2]:
        raise ValueError('this architecture has no class token: pool by mean or frame')
    return tokens[:, 0]


POOLINGS = {'mean': mean, 'frame': frame, 'class_token': class_token}
