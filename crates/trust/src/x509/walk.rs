//! Goes over DER (X.690, sections 8.1 and 10.1) where it lies, without keeping anything: for structures of which there are
//! too many to make values of all.

/// Bytes of a length in its long form: four say 4 GiB.
const MAX_LENGTH: usize = 4;

/// Elements from one place to another.
#[derive(Clone, Copy)]
pub struct Walk<'d> {
    bytes: &'d [u8],
    at: usize,
    end: usize,
}

/// Where the content of an element begins, and where the next one does.
struct Found {
    content: usize,
    next: usize,
}

impl<'d> Walk<'d> {
    /// Over all of `bytes`.
    pub const fn over(bytes: &'d [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len() }
    }

    /// From `at` to the end of `bytes`.
    pub const fn from(bytes: &'d [u8], at: usize) -> Self {
        Self { bytes, at, end: bytes.len() }
    }

    /// Where the next element stands.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Whether there is none.
    pub const fn is_over(&self) -> bool {
        self.at >= self.end
    }

    /// Whether there is a next element, and it has this tag.
    pub fn next_is(&self, tag: u8) -> bool {
        !self.is_over() && self.bytes.get(self.at) == Some(&tag)
    }

    /// The next element, with its tag and length.
    pub fn any(&mut self) -> Result<&'d [u8], String> {
        let Found { next, .. } = self.found()?;
        let element = self.bytes.get(self.at..next).unwrap_or_default();
        self.at = next;
        Ok(element)
    }

    /// The same, which has this tag.
    pub fn element(&mut self, tag: u8) -> Result<&'d [u8], String> {
        self.check(tag)?;
        self.any()
    }

    /// What is in the next element, which has this tag.
    pub fn content(&mut self, tag: u8) -> Result<&'d [u8], String> {
        let inside = self.inside(tag)?;
        Ok(self.bytes.get(inside.at..inside.end).unwrap_or_default())
    }

    /// Over what is in the next element, which has this tag.
    pub fn inside(&mut self, tag: u8) -> Result<Self, String> {
        self.check(tag)?;
        let Found { content, next } = self.found()?;
        self.at = next;
        Ok(Self { bytes: self.bytes, at: content, end: next })
    }

    /// That nothing follows.
    pub fn ended(&self) -> Result<(), String> {
        if self.is_over() { Ok(()) } else { Err(format!("there is something more at byte {}", self.at)) }
    }

    fn check(&self, tag: u8) -> Result<(), String> {
        if self.next_is(tag) {
            Ok(())
        } else {
            Err(format!("there is no element {tag:#04x} at byte {}", self.at))
        }
    }

    fn found(&self) -> Result<Found, String> {
        let wrong = || format!("the element at byte {} has no length", self.at);
        let byte = |at: usize| self.bytes.get(at).copied().filter(|_| at < self.end).ok_or_else(wrong);
        let first = usize::from(byte(self.at + 1)?);
        let (mut length, mut content) = (first, self.at + 2);
        if first >= 0x80 {
            let digits = first & 0x7f;
            if !(1..=MAX_LENGTH).contains(&digits) {
                return Err(wrong());
            }
            length = 0;
            for _ in 0..digits {
                length = (length << 8) | usize::from(byte(content)?);
                content += 1;
            }
            // There is one way to write a length.
            let shorter = if digits == 1 { 0x80 } else { 1 << (8 * (digits - 1)) };
            if length < shorter {
                return Err(wrong());
            }
        }
        let next = content.checked_add(length).filter(|next| *next <= self.end);
        let next =
            next.ok_or_else(|| format!("the element at byte {} is longer than what it is in", self.at))?;
        Ok(Found { content, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements() {
        for (bytes, expected) in [
            (&[0x30, 0][..], Some(0)),
            (&[0x30, 2, 5, 0], Some(2)),
            (&[0x30, 2, 5, 0, 9], Some(2)),
            (&[0x30, 3, 5, 0], None),
            (&[0x30], None),
            (&[], None),
            (&[0x31, 0], None),
            // Lengths without an end, longer than they need be, or longer than anything.
            (&[0x30, 0x80, 0, 0], None),
            (&[0x30, 0x81, 2, 5, 0], None),
            (&[0x30, 0x82, 0, 0x80], None),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], None),
            (&[0x30, 0x85, 0, 0, 0, 0, 0], None),
        ] {
            let found = Walk::over(bytes).content(0x30).ok().map(<[u8]>::len);
            assert_eq!(found, expected, "{bytes:?}");
        }
        let long = [&[0x04, 0x81, 0x80][..], &[7; 0x80]].concat();
        assert_eq!(Walk::over(&long).content(0x04).map(<[u8]>::len), Ok(0x80));
        let mut walk = Walk::over(&[0x30, 3, 2, 1, 7, 1]);
        let mut inside = walk.inside(0x30).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((inside.content(2), inside.is_over(), walk.is_over()), (Ok(&[7][..]), true, false));
        assert!(inside.any().is_err() && inside.ended().is_ok() && walk.ended().is_err());
    }
}
