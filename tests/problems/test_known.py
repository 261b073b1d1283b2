import pytest
import torch

from paretonav import ProblemError
from paretonav.problems import known


def test_along_maps_shares_of_the_total_length() -> None:
    pieces = torch.tensor([[0.0, 1.0], [2.0, 5.0]], dtype=torch.float64)
    t = torch.tensor([[0.0, 0.125], [0.25, 0.5], [0.75, 1.0]], dtype=torch.float64)
    assert known.along(pieces, t).tolist() == [[0.0, 0.5], [1.0, 3.0], [4.0, 5.0]]


def test_along_never_returns_the_left_end_of_a_later_piece() -> None:
    pieces = torch.tensor([[0.0, 0.1], [0.3, 0.6], [0.7, 1.0]], dtype=torch.float64)
    y = known.along(pieces, torch.linspace(0, 1, 1401, dtype=torch.float64))
    assert not any(left in y.tolist() for left in (0.3, 0.7))
    inside = (y[:, None] >= pieces[:, 0]) & (y[:, None] <= pieces[:, 1])
    assert inside.any(1).all()
    assert (y.diff() > 0).all()


def test_record_pieces_agree_with_dense_sampling() -> None:
    def h(y: torch.Tensor) -> torch.Tensor:
        return torch.cos(2 * torch.pi * y) - y

    pieces = known.record_pieces(h, [(0.4, 0.7), (1.0, 1.7)])
    dense = torch.linspace(0, 1.6, 160_001, dtype=torch.float64)
    values = h(dense)
    record = torch.cat([torch.tensor([True]), values[1:] < values.cummin(0).values[:-1]])
    inside = ((dense[:, None] >= pieces[:, 0]) & (dense[:, None] <= pieces[:, 1])).any(1)
    assert (record != inside).sum() <= 3  # at the ends of the pieces


@pytest.mark.parametrize("value", [0, 4, 1.5, True, "2"])
def test_check_integer_names_the_value(value: object) -> None:
    with pytest.raises(ProblemError, match=rf"k = {value!r} is not possible: because; .* from 1 to 3"):
        known.check_integer("k", value, 1, 3, why="because")  # type: ignore[arg-type]


def test_start_point_is_float64_and_of_the_right_length() -> None:
    default = torch.zeros(2, dtype=torch.float64)
    assert known.start_point(None, default) is default
    assert known.start_point(torch.ones(2), default).dtype == torch.float64
    with pytest.raises(ProblemError, match=r"x0 has shape \[3\], but the problem has n = 2"):
        known.start_point(torch.ones(3), default)
