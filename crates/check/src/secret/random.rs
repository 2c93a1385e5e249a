//! Whether letters look like chance or like language.
//!
//! What tells `qjzwrkxb` from `mypassword` is not entropy, which is the same for both, but that no language has `jzw`. So
//! letters are rated by how improbable each is after the one before it, in English words and identifiers: about 3.5 bits a
//! letter for words, 6 and more for chance.

/// Bits a letter above which letters are chance. Between 4.6 and 5.2 both kinds are found; names of products live there.
pub(crate) const CHANCE: f32 = 4.9;

/// Mean cost in bits of the letters in `bytes`, case aside; runs are rated with their beginnings and ends. `None` without
/// letters.
pub(crate) fn cost(bytes: &[u8]) -> Option<f32> {
    let (mut total, mut steps, mut last) = (0_u32, 0_u32, 0_usize);
    for byte in bytes.iter().copied().chain([0]) {
        let letter =
            if byte.is_ascii_alphabetic() { usize::from(byte.to_ascii_lowercase() - b'a') + 1 } else { 0 };
        if last != 0 || letter != 0 {
            total += u32::from(COST.get(last).and_then(|row| row.get(letter)).copied().unwrap_or(u8::MAX));
            steps += 1;
        }
        last = letter;
    }
    #[expect(clippy::cast_precision_loss, reason = "values are at most MAX_VALUE bytes long")]
    (steps > 0).then(|| total as f32 / (steps as f32 * 10.0))
}

/// Shannon entropy in bits a byte.
pub(crate) fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "values are at most MAX_VALUE bytes long")]
    let share = |count: u32| count as f32 / bytes.len() as f32;
    -counts.iter().filter(|count| **count > 0).map(|count| share(*count) * share(*count).log2()).sum::<f32>()
}

/// How many different bytes there are.
pub(crate) fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

/// Tenths of a bit for each letter after each other; 0 is the edge of a word. Counted over the words and identifiers of
/// Boltseal's own documents and code (5,255 distinct ones, weighted by the logarithm of how often they stand there).
#[rustfmt::skip]
const COST: [[u8; 27]; 27] = [
    [162, 38, 46, 35, 42, 44, 45, 56, 51, 51, 68, 69, 45, 44, 52, 51, 38, 75, 38, 32, 42, 49, 60, 49, 82, 82, 81],
    [53, 74, 47, 37, 42, 87, 68, 48, 93, 45, 103, 63, 32, 47, 31, 150, 47, 104, 31, 39, 29, 53, 67, 72, 79, 54, 85],
    [36, 33, 61, 59, 86, 27, 72, 129, 71, 40, 59, 129, 25, 84, 99, 31, 77, 129, 40, 45, 66, 34, 99, 129, 99, 55, 96],
    [43, 34, 103, 61, 79, 30, 80, 90, 30, 50, 143, 39, 42, 77, 101, 23, 95, 102, 42, 66, 32, 54, 73, 107, 143, 67, 143],
    [12, 49, 82, 91, 60, 23, 89, 60, 115, 33, 96, 115, 61, 74, 94, 47, 82, 144, 58, 44, 84, 59, 77, 106, 83, 62, 144],
    [25, 45, 77, 42, 30, 56, 60, 68, 99, 76, 91, 91, 48, 53, 35, 84, 56, 80, 28, 31, 48, 98, 60, 67, 53, 84, 159],
    [33, 36, 100, 81, 75, 30, 36, 79, 129, 21, 100, 89, 41, 79, 129, 29, 100, 129, 48, 52, 47, 46, 129, 100, 129, 62, 100],
    [17, 48, 98, 78, 134, 23, 97, 66, 45, 37, 134, 134, 59, 71, 39, 45, 77, 134, 38, 46, 73, 48, 99, 134, 134, 93, 88],
    [27, 26, 75, 82, 93, 19, 101, 133, 133, 32, 133, 97, 104, 62, 133, 26, 104, 133, 55, 60, 48, 51, 133, 104, 133, 64, 95],
    [64, 55, 58, 41, 46, 42, 50, 44, 149, 100, 119, 92, 41, 50, 20, 35, 54, 101, 52, 37, 33, 96, 49, 149, 63, 149, 61],
    [53, 43, 100, 100, 100, 25, 71, 100, 62, 52, 100, 61, 71, 100, 67, 26, 100, 71, 100, 32, 60, 19, 71, 36, 100, 100, 100],
    [20, 49, 86, 70, 75, 17, 67, 61, 122, 31, 122, 122, 63, 92, 47, 63, 58, 122, 122, 31, 82, 56, 122, 72, 122, 63, 122],
    [30, 33, 86, 82, 46, 23, 70, 79, 99, 27, 144, 77, 34, 88, 72, 31, 67, 144, 98, 48, 53, 54, 73, 92, 94, 54, 144],
    [31, 24, 48, 98, 74, 21, 95, 97, 135, 32, 135, 103, 65, 49, 66, 36, 33, 135, 135, 50, 78, 52, 93, 91, 135, 98, 135],
    [26, 45, 96, 43, 35, 32, 63, 29, 102, 49, 119, 62, 70, 75, 54, 45, 75, 116, 74, 35, 29, 60, 70, 80, 149, 72, 103],
    [51, 64, 61, 48, 46, 79, 64, 58, 148, 55, 104, 57, 41, 41, 24, 48, 45, 148, 28, 44, 44, 37, 53, 42, 75, 97, 94],
    [34, 27, 95, 98, 67, 27, 84, 78, 57, 44, 139, 70, 34, 84, 98, 33, 44, 97, 32, 48, 41, 43, 95, 97, 139, 65, 106],
    [37, 69, 98, 98, 98, 98, 98, 98, 98, 98, 98, 98, 32, 98, 98, 98, 98, 98, 58, 98, 98, 4, 98, 98, 98, 98, 98],
    [26, 35, 79, 59, 52, 20, 82, 59, 102, 34, 150, 64, 68, 56, 60, 36, 80, 150, 54, 40, 45, 54, 66, 85, 150, 51, 150],
    [13, 53, 89, 51, 107, 30, 84, 105, 46, 40, 123, 67, 68, 86, 88, 52, 53, 85, 93, 42, 29, 52, 88, 73, 152, 67, 152],
    [22, 36, 95, 57, 70, 25, 78, 87, 39, 30, 121, 104, 65, 92, 83, 41, 75, 150, 40, 38, 50, 60, 150, 77, 103, 57, 150],
    [73, 54, 43, 50, 46, 44, 67, 64, 108, 49, 108, 137, 38, 42, 25, 64, 41, 137, 30, 31, 30, 88, 137, 137, 81, 137, 83],
    [40, 35, 124, 83, 124, 7, 86, 83, 124, 27, 124, 83, 124, 94, 76, 51, 94, 124, 124, 61, 124, 61, 124, 124, 124, 84, 124],
    [29, 27, 125, 92, 68, 28, 95, 125, 30, 33, 92, 68, 67, 95, 37, 35, 125, 125, 37, 43, 74, 125, 125, 71, 125, 125, 125],
    [22, 40, 69, 35, 61, 30, 55, 114, 59, 42, 114, 114, 79, 72, 114, 64, 25, 114, 114, 70, 28, 66, 114, 114, 67, 63, 114],
    [8, 72, 59, 60, 123, 46, 123, 123, 123, 62, 123, 123, 66, 56, 54, 51, 38, 91, 75, 36, 46, 123, 123, 64, 123, 74, 74],
    [39, 46, 71, 101, 101, 12, 101, 101, 101, 27, 101, 101, 60, 101, 101, 44, 57, 101, 101, 40, 101, 44, 101, 71, 101, 52, 43],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cost_less_than_chance() {
        for word in ["password", "mypassword", "generated-credential", "ThereCanBeOnlyOne", "postgres"] {
            assert!(
                cost(word.as_bytes()).is_some_and(|bits| bits < CHANCE),
                "{word}: {:?}",
                cost(word.as_bytes())
            );
        }
        for chance in ["qjzwrkxb", "xkvqpzjh", "puqmrcwg", "kxmyqk"] {
            assert!(
                cost(chance.as_bytes()).is_some_and(|bits| bits > CHANCE),
                "{chance}: {:?}",
                cost(chance.as_bytes())
            );
        }
        assert_eq!(cost(b"1234"), None);
    }
}
