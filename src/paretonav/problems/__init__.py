"""Ready problems.

With a known front, so that every outcome can be held against the truth: ``quadratic``, ``zdt``, ``dtlz``,
``fonseca_fleming``. On real data, a network whose tasks compete, with a training recipe of
its own (``language`` comes pretrained):

==========  =======================================================  =====================================
problem     what is traded                                           data
==========  =======================================================  =====================================
digits      three overlaid handwritten digits, read at once          with scikit-learn
census      age 40 or older, some college, never married (white,     KDD Census-Income, 299,285 people
            female) of one person
fashion     what each of two overlaid garments is; or of a garment   Fashion-MNIST, MNIST, with scikit-learn
            and two digits
adult       cross-entropy, demographic parity and equal opportunity  Adult, 45,222 people
            between the sexes
sentences   sentiment and kind of text of one sentence, read by a    rated sentences (VADER), 23,703
            pretrained transformer
language    the next token of source code and of English prose, by   comes with Python
            a pretrained language model with adapters
==========  =======================================================  =====================================

Data that do not come with scikit-learn are looked for in a local folder, then online; see
``paretonav.problems.sources``.
"""

from paretonav.problems.adult import adult
from paretonav.problems.census import census
from paretonav.problems.digits import digits
from paretonav.problems.dtlz import dtlz
from paretonav.problems.fashion import fashion
from paretonav.problems.fonseca import fonseca_fleming
from paretonav.problems.language import language
from paretonav.problems.quadratic import quadratic
from paretonav.problems.sentences import sentences
from paretonav.problems.zdt import zdt

__all__ = [
    "adult",
    "census",
    "digits",
    "dtlz",
    "fashion",
    "fonseca_fleming",
    "language",
    "quadratic",
    "sentences",
    "zdt",
]
