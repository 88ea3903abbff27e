"""Links from the HTML diagram of an estimator to its page of the documentation."""

# Where the documentation is published.
ROOT = "https://sklearn-seqae.readthedocs.io/en/stable"


class DocLinkMixin:
    """Mixin that links the HTML diagram of an estimator to its page of the documentation.

    A subclass defined in another package gets no link, as that page would not document it.
    """

    _doc_link_module = "sklearn_seqae"
    # All estimators are public as members of the package, wherever they are written.
    _doc_link_template = ROOT + "/generated/sklearn_seqae.{estimator_name}.html"
