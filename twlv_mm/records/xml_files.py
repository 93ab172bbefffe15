"""Safe XML parsing: no document type declaration, hence no entities, and no deep nesting."""

from xml.etree.ElementTree import Element, SubElement
from xml.parsers import expat

from .checks import shown
from .reading import read_bytes

MAX_BYTES = 200_000_000  # an hour with five tracks and a box in every frame takes 100 MB
MAX_DEPTH = 32


class XmlFile:
    """The elements of a file and their line numbers.

    Args:
        path (str | Path): The file.
        max_bytes (int): Its largest size.

    Attributes:
        root (Element): The root element.
    """

    def __init__(self, path, *, max_bytes=MAX_BYTES):
        self.path, self.root, self._lines, self._open = path, None, {}, []
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._parser = parser
        try:
            parser.Parse(read_bytes(path, max_bytes=max_bytes), True)
        except (expat.ExpatError, UnicodeError, LookupError) as error:
            raise ValueError(f'{path} is not well-formed XML: {error}') from None

    def where(self, element):
        """File, line and tag of an element, for messages."""
        return f'{self.path}, line {self._lines.get(element, 0)}, {element.tag}'

    def attribute(self, element, name):
        """A required attribute of an element."""
        value = element.get(name)
        if value is None:
            raise ValueError(f'{self.where(element)}: missing attribute {name}')
        return value

    def _refuse(self, name, *_):
        raise ValueError(f'{self.path} declares a document type, {shown(name)}, which is refused: remove it')

    def _start(self, tag, attributes):
        if len(self._open) >= MAX_DEPTH:
            raise ValueError(f'{self.path}, line {self._parser.CurrentLineNumber}: nested too deeply')
        element = SubElement(self._open[-1], tag, attributes) if self._open else Element(tag, attributes)
        self.root = self.root if self._open else element
        self._lines[element] = self._parser.CurrentLineNumber
        self._open.append(element)

    def _end(self, _):
        self._open.pop()

    def _text(self, text):
        element = self._open[-1]
        if not len(element):  # between child elements there is only white space
            element.text = (element.text or '') + text
