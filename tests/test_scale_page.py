import doctest
from pathlib import Path


def test_the_code_on_the_page_about_large_models_does_what_it_says() -> None:
    page = Path(__file__).parents[1] / "docs" / "scale.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.failed == 0
    assert result.attempted > 5
