"""PDF files with real pages, where the machine can draw them."""

from django.conf import settings


class NoPdf(Exception):
    """This machine cannot draw PDF files; the message says what is missing."""


def draw(html: str, *styles: str) -> bytes:
    """Draw a page that links no style sheet of its own. Raises NoPdf where the library or Pango is missing.

    Nothing is fetched: pictures are handed over as data, any other address is refused.
    """
    try:
        from weasyprint import CSS, HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as trouble:
        raise NoPdf("This machine has no Pango, with which PDF files are drawn. Print the page instead.") from trouble
    fetcher = URLFetcher(allowed_protocols=["data"])
    drawn: bytes = HTML(string=html, base_url=settings.BASE_URL, url_fetcher=fetcher).write_pdf(
        stylesheets=[CSS(string=css, url_fetcher=fetcher) for css in styles], pdf_variant="pdf/ua-1"
    )
    return drawn


def style(name: str) -> str:
    """Read one of our style sheets."""
    return (settings.BASE_DIR / "static" / "css" / name).read_text()
