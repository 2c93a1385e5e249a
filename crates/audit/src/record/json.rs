//! Writes an object of known fields in canonical order, without building it in memory first.

use super::canonical::{self, MAX_SAFE};

/// An object being written. Fields are given in ascending order of their names, which are ASCII and need no escapes.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    last: &'static str,
}

impl Object<'_> {
    /// Writes one object to `out`.
    pub(crate) fn write(out: &mut Vec<u8>, fields: impl FnOnce(&mut Object<'_>)) {
        out.push(b'{');
        fields(&mut Object { out, last: "" });
        out.push(b'}');
    }

    fn key(&mut self, key: &'static str) {
        debug_assert!(self.last < key, "`{key}` comes before `{}`", self.last);
        if !self.last.is_empty() {
            self.out.push(b',');
        }
        self.last = key;
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// A string.
    pub(crate) fn text(&mut self, key: &'static str, text: &str) {
        self.key(key);
        canonical::write_string(text, self.out);
    }

    /// A string, where there is one.
    pub(crate) fn text_of(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// An integer within 53 bits.
    pub(crate) fn number(&mut self, key: &'static str, number: i64) {
        self.key(key);
        canonical::write_integer(number.clamp(-MAX_SAFE, MAX_SAFE), self.out);
    }

    /// `true`.
    pub(crate) fn yes(&mut self, key: &'static str) {
        self.key(key);
        self.out.extend_from_slice(b"true");
    }

    /// A list of strings.
    pub(crate) fn texts<'t>(&mut self, key: &'static str, texts: impl IntoIterator<Item = &'t str>) {
        self.key(key);
        self.out.push(b'[');
        for (index, text) in texts.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            canonical::write_string(text, self.out);
        }
        self.out.push(b']');
    }

    /// Bytes that are canonical JSON already.
    pub(crate) fn raw(&mut self, key: &'static str, json: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(json);
    }

    /// A value that `write` appends, as JSON.
    pub(crate) fn with(&mut self, key: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        write(self.out);
    }

    /// Bytes written so far, of everything.
    pub(crate) const fn written(&self) -> usize {
        self.out.len()
    }

    /// An object.
    pub(crate) fn object(&mut self, key: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        Object::write(self.out, fields);
    }

    /// A list of one object.
    pub(crate) fn list_of_one(&mut self, key: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        self.out.push(b'[');
        Object::write(self.out, fields);
        self.out.push(b']');
    }

    /// A list of one object for each item.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        items: impl IntoIterator<Item = T>,
        fields: impl Fn(&mut Object<'_>, T),
    ) {
        self.key(key);
        self.out.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            Object::write(self.out, |object| fields(object, item));
        }
        self.out.push(b']');
    }
}
