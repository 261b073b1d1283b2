import doctest
from pathlib import Path


def test_the_code_on_the_page_about_the_whole_front_does_what_it_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "front.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.failed == 0
    assert result.attempted > 10
