//! SHA-256 (FIPS 180-4) of two streams at once.
//!
//! The rounds of one block wait for each other, so a processor with instructions for them stands idle half of the time.
//! Where two hashes are due anyway (a layer as stored and its archive, the archive and an executable in it), doing both at
//! once takes the time of one and a bit. Processors without the instructions do one after the other.
#![expect(
    unsafe_code,
    reason = "code for instructions that not every processor has may be called only where they were found; no safe library \
              hashes two streams at once"
)]

use sha2::block_api::compress256;

/// Bytes that are hashed together (section 5.2.1).
const BLOCK: usize = 64;
/// Before the first block (section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A hash in the making.
///
/// ```
/// use boltseal_sys::Sha256;
///
/// let (mut one, mut other) = (Sha256::new(), Sha256::new());
/// one.update_both(b"of the layer", &mut other, b"of a file in it");
/// let mut again = Sha256::new();
/// again.update(b"of the layer");
/// assert_eq!(one.finish(), again.finish());
/// ```
#[derive(Clone)]
pub struct Sha256 {
    state: [u32; 8],
    /// The beginning of a block.
    held: [u8; BLOCK],
    /// Bytes of it.
    filled: usize,
    /// Bytes so far.
    length: u64,
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256 {
    /// Of no bytes.
    pub const fn new() -> Self {
        Self { state: INITIAL, held: [0; BLOCK], filled: 0, length: 0 }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let bytes = self.fill(bytes);
        let (blocks, rest) = bytes.as_chunks();
        self.blocks(blocks);
        self.hold(rest);
    }

    /// Adds the next bytes, and to `other` its own. Fast as far as both have some.
    pub fn update_both(&mut self, bytes: &[u8], other: &mut Self, others: &[u8]) {
        let (bytes, others) = (self.fill(bytes), other.fill(others));
        let ((mine, rest), (theirs, others_rest)) = (bytes.as_chunks(), others.as_chunks());
        let both = mine.len().min(theirs.len());
        if let (Some((first, mine)), Some((second, theirs))) =
            (mine.split_at_checked(both), theirs.split_at_checked(both))
        {
            compress_two([&mut self.state, &mut other.state], [first, second]);
            self.length += (both * BLOCK) as u64;
            other.length += (both * BLOCK) as u64;
            self.blocks(mine);
            other.blocks(theirs);
        }
        self.hold(rest);
        other.hold(others_rest);
    }

    /// The hash.
    pub fn finish(mut self) -> [u8; 32] {
        let bits = self.length.wrapping_mul(8);
        self.update(&[0x80]);
        let zeros = (2 * BLOCK - 8 - self.filled) % BLOCK;
        self.update([0; BLOCK].get(..zeros).unwrap_or_default());
        self.update(&bits.to_be_bytes());
        let mut out = [0; 32];
        for (to, word) in out.as_chunks_mut().0.iter_mut().zip(self.state) {
            *to = word.to_be_bytes();
        }
        out
    }

    /// Completes the block that was begun; what is left of `bytes`.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.filled == 0 {
            return bytes;
        }
        let (first, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
        self.hold(first);
        if self.filled == BLOCK {
            compress256(&mut self.state, &[self.held]);
            self.filled = 0;
        }
        rest
    }

    fn blocks(&mut self, blocks: &[[u8; BLOCK]]) {
        compress256(&mut self.state, blocks);
        self.length += (blocks.len() * BLOCK) as u64;
    }

    /// Takes bytes that make no block yet.
    fn hold(&mut self, bytes: &[u8]) {
        if let Some(to) = self.held.get_mut(self.filled..self.filled + bytes.len()) {
            to.copy_from_slice(bytes);
            self.filled += bytes.len();
            self.length += bytes.len() as u64;
        }
    }
}

/// Adds to each state as many blocks; both have equally many.
fn compress_two(states: [&mut [u32; 8]; 2], blocks: [&[[u8; BLOCK]]; 2]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
    {
        // SAFETY: the processor has the instructions that the function is compiled for.
        unsafe { two::compress(states, blocks) };
        return;
    }
    for (state, blocks) in states.into_iter().zip(blocks) {
        compress256(state, blocks);
    }
}

#[cfg(target_arch = "x86_64")]
mod two {
    //! With Intel's SHA extensions. The names are those of the standard: eight words `a` to `h`, of which the instructions
    //! want `abef` in one register and `cdgh` in another.
    #![expect(clippy::many_single_char_names, reason = "the standard calls them so")]

    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_cvtsi128_si64, _mm_set_epi32, _mm_set_epi64x,
        _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
        _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_unpackhi_epi64,
    };

    use super::BLOCK;

    /// The constants of the rounds (section 4.2.2), four by four, the first in the lowest place.
    #[rustfmt::skip]
    const ROUNDS: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    pub(super) fn compress(states: [&mut [u32; 8]; 2], blocks: [&[[u8; BLOCK]]; 2]) {
        let [one, other] = states;
        let (mut first, mut second) = (load(one), load(other));
        for (mine, theirs) in blocks[0].iter().zip(blocks[1]) {
            let before = (first, second);
            (first.words, second.words) = (schedule(mine), schedule(theirs));
            // Written out, because everything has to stay in registers.
            macro_rules! rounds {
                ($($number:literal)*) => {$(
                    first = four_rounds::<$number>(first);
                    second = four_rounds::<$number>(second);
                )*};
            }
            rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            (first, second) = (first.plus(before.0), second.plus(before.1));
        }
        (*one, *other) = (store(first), store(second));
    }

    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
        /// Of the message, for the next sixteen rounds.
        words: [__m128i; 4],
    }

    impl Lane {
        #[target_feature(enable = "sha,ssse3,sse4.1")]
        #[inline]
        fn plus(self, other: Self) -> Self {
            Self {
                abef: _mm_add_epi32(self.abef, other.abef),
                cdgh: _mm_add_epi32(self.cdgh, other.cdgh),
                words: self.words,
            }
        }
    }

    /// Four rounds, and the words of the message for the sixteenth after them (section 6.2.2).
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a number that is too large does not compile")]
    fn four_rounds<const NUMBER: usize>(lane: Lane) -> Lane {
        let [now, next, third, last] = lane.words;
        let sum = _mm_add_epi32(now, four(&const { ROUNDS[NUMBER] }));
        let cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);
        let abef = _mm_sha256rnds2_epu32(lane.abef, cdgh, _mm_shuffle_epi32::<0x0e>(sum));
        let later = if NUMBER < 12 {
            let sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8::<4>(last, third));
            _mm_sha256msg2_epu32(sum, last)
        } else {
            _mm_setzero_si128()
        };
        Lane { abef, cdgh, words: [next, third, last, later] }
    }

    /// The message as words, which are big-endian.
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn schedule(block: &[u8; BLOCK]) -> [__m128i; 4] {
        let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let four = |bytes: &[u8; 16]| {
            let [low, high] = halves(*bytes);
            _mm_shuffle_epi8(_mm_set_epi64x(high, low), swap)
        };
        match block.as_chunks().0 {
            [a, b, c, d] => [four(a), four(b), four(c), four(d)],
            _ => [swap; 4],
        }
    }

    /// Little-endian, the lower first.
    #[inline]
    const fn halves([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [u8; 16]) -> [i64; 2] {
        [i64::from_le_bytes([a, b, c, d, e, f, g, h]), i64::from_le_bytes([i, j, k, l, m, n, o, p])]
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn four([a, b, c, d]: &[u32; 4]) -> __m128i {
        _mm_set_epi32(d.cast_signed(), c.cast_signed(), b.cast_signed(), a.cast_signed())
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn load(&[a, b, c, d, e, f, g, h]: &[u32; 8]) -> Lane {
        Lane { abef: four(&[f, e, b, a]), cdgh: four(&[h, g, d, c]), words: [_mm_setzero_si128(); 4] }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn store(lane: Lane) -> [u32; 8] {
        let [f, e, b, a] = words(lane.abef);
        let [h, g, d, c] = words(lane.cdgh);
        [a, b, c, d, e, f, g, h]
    }

    /// The lowest first.
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn words(register: __m128i) -> [u32; 4] {
        let low = _mm_cvtsi128_si64(register).to_le_bytes();
        let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(register, register)).to_le_bytes();
        let mut out = [0; 4];
        for (to, word) in out.iter_mut().zip([low, high].as_flattened().as_chunks().0) {
            *to = u32::from_le_bytes(*word);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    fn bytes(length: usize, seed: u8) -> Vec<u8> {
        (0..=250).cycle().map(|byte: u8| byte.wrapping_mul(167) ^ seed).take(length).collect()
    }

    fn known(bytes: &[u8]) -> [u8; 32] {
        sha2::Sha256::digest(bytes).into()
    }

    /// Every way in which the blocks of two streams can lie to each other.
    #[test]
    fn as_the_library_does() {
        for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000, 64 * 40 + 7] {
            let whole = bytes(length, 3);
            for cut in [0, 1, 63, 64, 65, 100, length].map(|cut| cut.min(length)) {
                let (first, second) = whole.split_at(cut);
                for others in [0, 1, 30, 64, 500, 4096] {
                    let others = bytes(others, 9);
                    let (mut one, mut other) = (Sha256::new(), Sha256::new());
                    one.update(first);
                    one.update_both(second, &mut other, &others);
                    assert_eq!(one.finish(), known(&whole), "{length} cut at {cut}");
                    assert_eq!(other.finish(), known(&others));
                    let (mut one, mut other) = (Sha256::new(), Sha256::new());
                    other.update_both(&others, &mut one, first);
                    other.update_both(&others, &mut one, second);
                    assert_eq!(one.finish(), known(&whole));
                    assert_eq!(other.finish(), known(&others.repeat(2)));
                }
            }
        }
    }

    #[test]
    fn the_example_of_the_standard() {
        let mut hash = Sha256::default();
        hash.update(b"abc");
        assert_eq!(hash.finish()[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
