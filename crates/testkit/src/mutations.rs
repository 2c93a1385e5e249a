//! Bodies of fuzz targets as ordinary tests: over their seeds and some thousand mutations, and over what a fuzzer found
//! worth keeping, without a fuzzer.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Runs `body` over every seed of a fuzz target, over what a fuzzer [`found`], and over `cases` mutations of the seeds: bytes cut out, replaced, flipped, or
/// put in, and `words`, which are what the format stumbles over. The same every time, so that a failure comes back.
///
/// # Panics
/// Where the body does, after printing the input, or where there are no seeds.
pub fn mutations(target: &str, words: &[&[u8]], cases: u32, body: impl Fn(&[u8])) {
    let seeds = seeds(target);
    for input in seeds.iter().chain(&found(target)) {
        told(input, &body);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for case in 0..cases as usize {
        let Some(seed) = seeds.get(case % seeds.len()) else { continue };
        told(&mutated(seed, words, &mut random), &body);
    }
}

/// The inputs that a fuzzer found for `target`, each of which takes a way through the code that no smaller one does:
/// `fuzz/corpora/TARGET.tar.zst`, made by `fuzz/corpora/pack.sh`. None where nobody kept any.
///
/// # Panics
/// Where the file cannot be read.
#[expect(clippy::expect_used, reason = "a damaged corpus fails the test that wants it")]
pub fn found(target: &str) -> Vec<Vec<u8>> {
    let Ok(packed) = fs::read(fuzz().join(format!("corpora/{target}.tar.zst"))) else { return Vec::new() };
    let archive = zstd::decode_all(packed.as_slice()).expect("a corpus in zstd");
    let mut archive = tar::Archive::new(archive.as_slice());
    let entries =
        archive.entries().expect("a corpus in tar").map(|entry| entry.expect("an entry of a corpus"));
    let inputs = entries.filter(|entry| entry.header().entry_type().is_file()).map(|mut entry| {
        let mut input = Vec::new();
        entry.read_to_end(&mut input).expect("an input of a corpus");
        input
    });
    inputs.collect()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// What the body choked on is printed only if it does.
#[expect(clippy::print_stderr, reason = "whoever reads the failure needs the input")]
fn told(input: &[u8], body: &impl Fn(&[u8])) {
    struct Told<'a>(&'a [u8]);
    impl Drop for Told<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("with the input \"{}\"", self.0.escape_ascii());
            }
        }
    }
    let told = Told(input);
    body(told.0);
}

#[expect(clippy::expect_used, reason = "a fuzz target without seeds fails the test that wants them")]
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("seeds").join(target);
    let files = fs::read_dir(&folder).expect("a folder of seeds");
    let mut seeds: Vec<Vec<u8>> = files
        .map(|file| fs::read(file.expect("a folder that can be read").path()).expect("a seed"))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 3, "{}: fewer than three seeds", folder.display());
    seeds
}

fn mutated(seed: &[u8], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(5) {
        let at = random.below(bytes.len().max(1));
        let end = (at + random.below(8)).min(bytes.len());
        let at = at.min(end);
        let one = [u8::try_from(random.below(256)).unwrap_or_default()];
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.extend_from_within(at..bytes.len().min(at + 512)),
            3 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= one[0] | 1),
            4 => drop(bytes.splice(at..end, one)),
            _ => {
                let word = words.get(random.below(words.len().max(1))).copied().unwrap_or(&one);
                drop(bytes.splice(at..end, word.iter().copied()));
            }
        }
    }
    bytes
}

/// xorshift64: repeatable, which is all a test needs.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit.max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::HashSet};

    use super::*;

    #[test]
    fn every_mutation_is_another_and_comes_back() {
        let all = || {
            let inputs = RefCell::new(Vec::new());
            mutations("policy", &[b"[*a, &a "], 500, |bytes| inputs.borrow_mut().push(bytes.to_vec()));
            inputs.into_inner()
        };
        let inputs = all();
        assert_eq!(inputs, all());
        assert!(inputs.iter().collect::<HashSet<_>>().len() > 400);
        assert!(inputs.iter().any(|input| input.windows(8).any(|part| part == b"[*a, &a ")));
    }
}
