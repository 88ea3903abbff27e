"""Where the documentation is: what links from an estimator lead to."""

# Where the manual is to be published. Until it is, links from an estimator lead nowhere.
ROOT = "https://sklearn-seqae.readthedocs.io/en/stable"


class Documented:
    """Tells scikit-learn's diagram of an estimator which page documents it.

    A subclass in a package of someone else's gets no link: that page would not be about it.
    """

    _doc_link_module = "sklearn_seqae"
    # All estimators are public as members of the package, wherever they are written.
    _doc_link_template = ROOT + "/generated/sklearn_seqae.{estimator_name}.html"
