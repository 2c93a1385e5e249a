//! gzip (RFC 1952), any number of members, as layers have it.
//!
//! Where the archive's SHA-256 is checked anyway, the checksum of each member (a CRC-32) tells nothing more and costs a
//! sixth of the inflating, so it is not computed. Its length is always checked, so that a blob cut off between two
//! members, or padded, does not pass for a whole one.

use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Flags of a header (RFC 1952, section 2.3.1); the lowest, that it is probably text, changes nothing.
const HAS_SUM: u8 = 1 << 1;
const HAS_EXTRA: u8 = 1 << 2;
const HAS_NAME: u8 = 1 << 3;
const HAS_COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;
/// Bytes of the method that everybody uses.
const DEFLATE: u8 = 8;
/// Longest name or comment in a header. File names end at 4,096; more only costs time.
const MAX_TEXT: usize = 64 << 10;

/// Inflates what it reads.
pub struct Gzip<R> {
    from: R,
    inflate: Decompress,
    /// Absent where nobody needs it.
    sum: Option<Crc>,
    /// Bytes of this member that came out.
    length: u64,
    at: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Header,
    Body,
    End,
}

impl<R: BufRead> Gzip<R> {
    /// With `sums`, checks the checksum of each member.
    pub fn new(from: R, sums: bool) -> Self {
        let inflate = Decompress::new(false);
        Self { from, inflate, sum: sums.then(Crc::new), length: 0, at: Place::Header }
    }

    pub fn into_inner(self) -> R {
        self.from
    }

    /// Reads bytes of a header or trailer.
    fn exactly<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn header(&mut self) -> io::Result<()> {
        let [one, two, method, flags, ..] = self.exactly::<10>()?;
        if [one, two] != [0x1f, 0x8b] {
            return Err(bad("after a member comes something that is none"));
        }
        if method != DEFLATE || flags & RESERVED != 0 {
            return Err(bad("a method or a flag that RFC 1952 does not know"));
        }
        if flags & HAS_EXTRA != 0 {
            let length = u64::from(u16::from_le_bytes(self.exactly()?));
            let skipped = io::copy(&mut self.from.by_ref().take(length), &mut io::sink())?;
            if skipped < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        for text in [HAS_NAME, HAS_COMMENT] {
            if flags & text != 0 {
                self.skip_text()?;
            }
        }
        if flags & HAS_SUM != 0 {
            self.exactly::<2>()?;
        }
        self.inflate.reset(false);
        if let Some(sum) = &mut self.sum {
            sum.reset();
        }
        self.length = 0;
        self.at = Place::Body;
        Ok(())
    }

    /// To the byte after the next zero.
    fn skip_text(&mut self) -> io::Result<()> {
        let mut left = MAX_TEXT;
        loop {
            let bytes = self.from.fill_buf()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = bytes.iter().position(|byte| *byte == 0);
            let used = end.map_or(bytes.len(), |at| at + 1);
            self.from.consume(used);
            if end.is_some() {
                return Ok(());
            }
            left = left.checked_sub(used).ok_or_else(|| bad("a header of more than 64 KiB"))?;
        }
    }

    fn trailer(&mut self) -> io::Result<()> {
        let [a, b, c, d, size @ ..] = self.exactly::<8>()?;
        // The length counts modulo 2^32 (section 2.3.1).
        if u64::from(u32::from_le_bytes(size)) != self.length & u64::from(u32::MAX) {
            return Err(bad("a member has not the length it tells"));
        }
        if self.sum.as_ref().is_some_and(|sum| sum.sum() != u32::from_le_bytes([a, b, c, d])) {
            return Err(bad("a member has not the checksum it tells"));
        }
        self.at = if self.from.fill_buf()?.is_empty() { Place::End } else { Place::Header };
        Ok(())
    }

    /// Inflates into `out`. None where nothing can come before more is read.
    fn body(&mut self, out: &mut [u8]) -> io::Result<Option<usize>> {
        let stored = self.from.fill_buf()?;
        let is_last = stored.is_empty();
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(stored, out, FlushDecompress::None)?;
        let used = usize::try_from(self.inflate.total_in() - read).map_err(io::Error::other)?;
        let made = usize::try_from(self.inflate.total_out() - written).map_err(io::Error::other)?;
        self.from.consume(used);
        self.length += made as u64;
        if let (Some(sum), Some(made)) = (&mut self.sum, out.get(..made)) {
            sum.update(made);
        }
        if status == Status::StreamEnd {
            self.trailer()?;
        } else if made == 0 && used == 0 {
            return Err(if is_last { io::ErrorKind::UnexpectedEof.into() } else { bad("no deflate stream") });
        }
        Ok((made > 0).then_some(made))
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.at {
                Place::Header => self.header()?,
                Place::End => return Ok(0),
                Place::Body => {
                    if let Some(made) = self.body(out)? {
                        return Ok(made);
                    }
                }
            }
        }
    }
}

fn bad(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder, bufread::MultiGzDecoder};

    use super::*;

    fn member(text: &[u8], extras: bool) -> Vec<u8> {
        let mut builder = GzBuilder::new();
        if extras {
            builder = builder.filename("layer.tar").comment("of a test").extra(vec![7; 300]);
        }
        let mut writer = builder.write(Vec::new(), Compression::fast());
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    /// Bytes that come in small pieces, so that every state is left and entered again.
    fn inflate(bytes: &[u8], sums: bool, piece: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Gzip::new(io::BufReader::with_capacity(piece, bytes), sums).read_to_end(&mut out).map(|_| out)
    }

    /// Numbers that are not all alike.
    fn text(length: u32) -> Vec<u8> {
        (0..length).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    #[test]
    fn as_flate2_does() {
        let long = text(40_000);
        let members =
            [member(&long, true), member(b"", false), member(b"the end", true), member(&long, false)];
        let whole = members.concat();
        let mut expected = Vec::new();
        MultiGzDecoder::new(&*whole).read_to_end(&mut expected).unwrap();
        for piece in [1, 2, 13, 4096, 1 << 20] {
            for sums in [true, false] {
                assert_eq!(inflate(&whole, sums, piece).unwrap(), expected, "{piece} {sums}");
            }
        }
    }

    #[test]
    fn damage_is_told() {
        let one = member(&text(1000), true);
        let end = one.len();
        let flip = |at: usize| {
            let mut bytes = one.clone();
            bytes[at] ^= 0x40;
            bytes
        };
        let cases: [(&str, Vec<u8>, bool, &str); 7] = [
            ("wrong length", flip(end - 1), false, "not the length"),
            ("wrong sum", flip(end - 5), true, "not the checksum"),
            ("another method", flip(2), false, "does not know"),
            ("a flag of the future", flip(3), false, "does not know"),
            ("something after it", [&*one, b"not a member"].concat(), false, "something that is none"),
            ("no block of that kind", [&one[..10], &[6; 100]].concat(), false, ""),
            (
                "a name without end",
                [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3], &*vec![b'a'; 70_000]].concat(),
                false,
                "64 KiB",
            ),
        ];
        for (name, bytes, sums, wanted) in cases {
            let error = inflate(&bytes, sums, 4096).expect_err(name).to_string();
            assert!(error.contains(wanted), "{name}: {error}");
        }
        assert!(inflate(&flip(end - 5), false, 4096).is_ok(), "whoever checks the archive needs no sum");
        for cut in 0..end {
            assert!(inflate(&one[..cut], false, 4096).is_err(), "cut at {cut}");
        }
    }
}
