//! XML, element by element: a document streams by, and only the elements that are asked for become trees.
//!
//! Source: XML 1.0 (fifth edition). Document type declarations are refused, so that no entity can be defined: the
//! five predefined ones and character references are all there is. Prefixes of name spaces are left out.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::{
    Error,
    format::{Document, skip_mark},
    limits,
};

/// One element with everything in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// Its own text, trimmed, without that of its children.
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The value of an attribute; empty where there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The children called `name`.
    pub(crate) fn all<'e>(
        &'e self,
        name: &'static str,
    ) -> impl Iterator<Item = &'e Element> + Clone + use<'e> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child called `name`.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child called `name`; empty where there is none.
    pub(crate) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| &child.text)
    }

    /// Every element below called `name`, in order.
    pub(crate) fn below<'e>(&'e self, name: &str, found: &mut Vec<&'e Self>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.below(name, found);
        }
    }
}

/// A document that streams.
pub(crate) struct Xml<'d> {
    reader: Reader<Metered<'d>>,
    used: Rc<Cell<u64>>,
    name: &'d str,
    format: &'static str,
    buffer: Vec<u8>,
    depth: usize,
}

/// Fails when one element takes too many bytes, whatever the size of the whole.
struct Metered<'d> {
    inner: &'d mut dyn BufRead,
    used: Rc<Cell<u64>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.used.set(self.used.get() + read as u64);
        Ok(read)
    }
}

impl BufRead for Metered<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used.get() > limits::MAX_ELEMENT_BYTES {
            return Err(io::Error::other("an element is larger than the limit of elements"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.used.set(self.used.get() + amount as u64);
        self.inner.consume(amount);
    }
}

impl<'d> Xml<'d> {
    pub(crate) fn new(document: &'d mut Document<'_>, format: &'static str) -> Result<Self, Error> {
        let Document { name, input } = document;
        skip_mark(&mut **input).map_err(|error| Error::broken(name, format, error))?;
        let used = Rc::new(Cell::new(0));
        let mut reader = Reader::from_reader(Metered { inner: &mut **input, used: Rc::clone(&used) });
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, used, name, format, buffer: Vec::new(), depth: 0 })
    }

    /// The next element called one of `wanted`, wherever it stands outside of those handed out before. `None` at the
    /// end of the document.
    pub(crate) fn next(&mut self, wanted: &[&str]) -> Result<Option<Element>, Error> {
        loop {
            self.used.set(0);
            let broken = broken(self.name, self.format);
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer).map_err(|error| broken(&error))? {
                Event::Start(start) => {
                    if wanted.contains(&local(start.local_name().as_ref()).as_str()) {
                        let element = open(&start).map_err(|error| broken(&error))?;
                        return self.inside(element, 0).map(Some);
                    }
                    self.depth += 1;
                    if self.depth > limits::MAX_XML_DEPTH {
                        return Err(Error::limit(
                            self.name,
                            "the depth of elements",
                            limits::MAX_XML_DEPTH as u64,
                        ));
                    }
                }
                Event::End(_) => self.depth = self.depth.saturating_sub(1),
                Event::DocType(_) => return Err(broken(&"a document type declaration is not accepted")),
                Event::Eof if self.depth == 0 => return Ok(None),
                Event::Eof => return Err(broken(&"it ends inside an element; it is cut off")),
                _ => {}
            }
        }
    }

    /// Reads on to the end of `element`.
    fn inside(&mut self, mut element: Element, depth: usize) -> Result<Element, Error> {
        if self.depth + depth > limits::MAX_XML_DEPTH {
            return Err(Error::limit(self.name, "the depth of elements", limits::MAX_XML_DEPTH as u64));
        }
        loop {
            let broken = broken(self.name, self.format);
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer).map_err(|error| broken(&error))? {
                Event::Start(start) => {
                    let child = open(&start).map_err(|error| broken(&error))?;
                    let child = self.inside(child, depth + 1)?;
                    element.children.push(child);
                }
                Event::End(_) => {
                    let trimmed = element.text.trim();
                    if trimmed.len() < element.text.len() {
                        let trimmed = trimmed.to_owned();
                        element.text = trimmed;
                    }
                    return Ok(element);
                }
                // Some writers put single bytes of other encodings into texts.
                Event::Text(text) => element.text.push_str(&String::from_utf8_lossy(&text)),
                Event::CData(text) => element.text.push_str(&String::from_utf8_lossy(&text)),
                Event::GeneralRef(reference) => {
                    let named = reference.decode().map_err(|error| broken(&error))?;
                    let character = match reference.resolve_char_ref().map_err(|error| broken(&error))? {
                        Some(character) => Some(character),
                        None => predefined(&named),
                    };
                    element.text.push(character.ok_or_else(|| broken(&"an entity that is not defined"))?);
                }
                Event::DocType(_) => return Err(broken(&"a document type declaration is not accepted")),
                Event::Eof => return Err(broken(&"it ends inside an element; it is cut off")),
                _ => {}
            }
        }
    }
}

/// Why the XML called `name` is not usable.
fn broken<'n>(name: &'n str, format: &'static str) -> impl Fn(&dyn Display) -> Error + use<'n> {
    move |why| Error::broken(name, format, why)
}

fn open(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element { name: local(start.local_name().as_ref()), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        element.attributes.push((local(attribute.key.local_name().as_ref()), value.into_owned()));
    }
    Ok(element)
}

fn local(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// XML 1.0, section 4.6.
fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}
