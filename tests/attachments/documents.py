"""Documents for the tests of search in attachments: real ones, made by the programs that people have, and
hostile ones.  Each of the first kind has words of its own."""
import io, re, struct, zipfile, zlib
from email.message import EmailMessage

import docx, openpyxl
from odf.draw import Frame, Page, TextBox
from odf.opendocument import OpenDocumentPresentation, OpenDocumentSpreadsheet, OpenDocumentText
from odf.style import MasterPage, PageLayout
from odf.table import Table, TableCell, TableRow
from odf.text import H, P
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table as PdfTable

OOXML = "vnd.openxmlformats-officedocument."
PDF_HEAD = b"%PDF-1.5\n1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj\n"


def saved(save):
    out = io.BytesIO()
    save(out)
    return out.getvalue()


def word():
    made = docx.Document()
    made.add_heading("Quarterly pelican", 0)
    made.add_paragraph("Grüße from the zeppelin: two words and co").add_run("lla").bold = True
    made.paragraphs[-1].add_run("ge of three")
    cells = made.add_table(1, 2).rows[0].cells
    cells[0].text, cells[1].text = "cellone", "celltwo"
    made.sections[0].header.paragraphs[0].text = "wordheader"
    return saved(made.save)


def sheet():
    made = openpyxl.Workbook()
    made.active.append(["marmalade", 471147, "=1+1"])
    made.create_sheet("second").append(["Ærøskøbing"])
    return saved(made.save)


def slides():
    """There is no program for it in Debian that Python can drive: the parts that count, by hand."""
    slide = ('<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
             'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:cSld><p:spTree><p:sp><p:txBody>'
             '<a:p><a:r><a:t>slidewombat</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>')
    return zipped({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": slide})


def open_text():
    made = OpenDocumentText()
    made.text.addElement(H(outlinelevel=1, text="odtheading"))
    made.text.addElement(P(text="odtwombat Straße"))
    return saved(made.save)


def open_sheet():
    made, table, row, cell = OpenDocumentSpreadsheet(), Table(name="x"), TableRow(), TableCell()
    cell.addElement(P(text="odswombat"))
    row.addElement(cell)
    table.addElement(row)
    made.spreadsheet.addElement(table)
    return saved(made.save)


def open_slides():
    made, layout = OpenDocumentPresentation(), PageLayout(name="l")
    made.automaticstyles.addElement(layout)
    made.masterstyles.addElement(MasterPage(name="m", pagelayoutname=layout))
    page, frame, box = Page(masterpagename="m"), Frame(width="9cm", height="3cm"), TextBox()
    box.addElement(P(text="odpwombat"))
    frame.addElement(box)
    page.addElement(frame)
    made.presentation.addElement(page)
    return saved(made.save)


def pdf_drawn(mark="pdfwombat", **more):
    out = io.BytesIO()
    made = canvas.Canvas(out, **more)
    made.drawString(72, 720, f"{mark.title()} of Größe (brackets)")
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    made.setFont("HeiseiMin-W3", 12)
    made.drawString(72, 680, "日本語の文書")
    made.showPage()
    made.drawString(72, 720, "secondpage")
    made.save()
    return out.getvalue()


def pdf_set(words="justwombat"):
    out = io.BytesIO()
    style = getSampleStyleSheet()["Normal"]
    SimpleDocTemplate(out).build([Paragraph(f"This {words} is <b>half</b>bold. " * 20, style),
                                  PdfTable([["tablecell", "tableother"]])])
    return out.getvalue()


def zipped(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


# name: (its type, its file name, its octets, what is found in it)
def real():
    return {
        "docx": (f"application/{OOXML}wordprocessingml.document", "a.docx", word(),
                 ["pelican", "ZEPPELIN", "two words", "collage of three", "cellone", "wordheader", "GRÜße"]),
        "xlsx": ("application/octet-stream", "a.xlsx", sheet(), ["marmalade", "471147", "Ærøskøbing"]),
        "pptx": ("application/zip", "räte.pptx", slides(), ["slidewombat"]),
        "odt": ("application/vnd.oasis.opendocument.text", None, open_text(), ["odtheading", "odtwombat", "straße"]),
        "ods": ("application/pdf", "lies.pdf", open_sheet(), ["odswombat"]),
        "odp": ("application/x-download", "A.ODP", open_slides(), ["odpwombat"]),
        "pdf": ("application/pdf", None, pdf_drawn(), ["pdfwombat of"]),
        "pdf set": ("application/octet-stream", "b.pdf", pdf_set(), ["justwombat", "halfbold", "tablecell"]),
        "pdf open": ("application/pdf", "c.pdf", pdf_drawn("openwombat", encrypt=StandardEncryption("", ownerPassword="x")),
                     ["openwombat"]),
        "pdf cut": ("application/pdf", "d.pdf", pdf_drawn("cutwombat", pageCompression=0)[:-20],
                    ["cutwombat"]),
    }


def pdf_of(*objects):
    """Objects from 2 on; the library makes the table that is missing."""
    return PDF_HEAD + b"".join(b"%d 0 obj %s endobj\n" % (i, o) for i, o in enumerate(objects, 2)) + \
        b"trailer <</Root 1 0 R>>\n%%EOF\n"


def stream(octets, dictionary=b""):
    return b"<<%s /Length %d>> stream\n%s\nendstream" % (dictionary, len(octets), octets)


def packed(count):
    """So many octets, packed."""
    packer, spaces = zlib.compressobj(1), b" " * (1 << 20)
    return b"".join(packer.compress(spaces) for _ in range(count >> 20)) + packer.flush()


PAGE = b"<</Type /Pages /Kids [3 0 R] /Count 1>>", b"<</Type /Page /Parent 2 0 R /Contents 4 0 R /Resources 5 0 R>>"
FONT = b"<</Font <</F 6 0 R>> /XObject <</X 7 0 R>>>>", b"<</Type /Font /Subtype /Type1>>"


def hostile():
    """name: octets of a document that would cost much."""
    wide = (b"<</Type /Font /Subtype /Type0 /Encoding /Identity-H /DescendantFonts [<</W %d 0 R>>]>>")
    shared = b"[" + b"0 65535 500 " * 100000 + b"]"
    bomb = packed(600 << 20)
    fonts = b" ".join(b"/F%d %d 0 R" % (i, 8 + i) for i in range(400))
    return {
        "zip_bomb": zipped({"word/document.xml": b"<d><p><t>" + b"x " * (200 << 20)}),
        "zip_of_lies": zipped({"word/document.xml": b"<d><t>x</t></d>" * 1000})[:-22] + b"PK\5\6" + b"\xff" * 18,
        "xml_bomb": zipped({"word/document.xml": b"<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
            b"<!ENTITY %c '%s'>" % (c + 1, b"&%c;" % c * 10) for c in range(ord("a"), ord("z"))) +
            b"]><d><t>&z;</t></d>"}),
        "xml_deep": zipped({"content.xml": b"<p>" * 5_000_000}),
        "xml_attributes": zipped({"word/document.xml": b"<d " + b" ".join(b"a%d='x'" % i for i in range(500000)) + b"/>"}),
        "pdf_bomb": pdf_of(*PAGE, stream(zlib.compress(bomb, 9), b"/Filter [/FlateDecode /FlateDecode]"), *FONT),
        "pdf_bomb_in_objects": pdf_of(*PAGE, stream(bomb, b"/Type /ObjStm /N 100 /First 9 "
                                                    b"/Filter /FlateDecode"), *FONT),
        "pdf_tokens": pdf_of(*PAGE, stream(zlib.compress(b"q Q " * (15 << 20), 9), b"/Filter /FlateDecode"), *FONT),
        "pdf_loop": pdf_of(*PAGE, stream(b"/X Do " * 100), *FONT,
                           stream(b"BT /F 9 Tf (x) Tj ET " + b"/X Do " * 100, b"/Subtype /Form")),
        "pdf_loop_of_pages": pdf_of(b"<</Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Parent 3 0 R /Count 99999999>>",
                                    b"<</Type /Pages /Kids [2 0 R] /Parent 2 0 R>>"),
        "pdf_loop_of_references": pdf_of(b"3 0 R", b"2 0 R", b"<</Length 4 0 R>> stream\n\nendstream"),
        "pdf_deep": pdf_of(b"[" * 3_000_000),
        "pdf_fonts": pdf_of(*PAGE, stream(b"BT " + b"".join(b"/F%d 9 Tf (x) Tj " % i for i in range(400))),
                            b"<</Font <<" + fonts + b">>>>", shared, b"null", *[wide % 6] * 400),
        "pdf_damaged": re.sub(rb"endobj", b"endobi", pdf_drawn(pageCompression=0)) * 20,
        "pdf_of_marks": b"%PDF-1.4\n" + b"1 0 obj\n<<" * 500000,
        "closed": pdf_drawn(encrypt=StandardEncryption("user", ownerPassword="x")),
        "garbage": b"%PDF-1.7\n" + bytes(range(256)) * 4000,
        "empty_archive": b"PK\5\6" + bytes(18),
    }


def mail(name, type_, file_name, octets):
    made = EmailMessage()
    made["From"], made["Subject"] = "ann@here.test", f"about {name}"
    made.set_content("see there\n")
    main, sub = type_.split("/")
    made.add_attachment(octets, maintype=main, subtype=sub, **({"filename": file_name} if file_name else {}))
    return made.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
