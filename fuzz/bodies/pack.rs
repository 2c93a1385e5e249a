//! Any bytes as an index of feeds and as one of its chunks, as they are and as what they unpack to, under the digest that
//! they have: no panic, the limits hold, and what was read is written and read again as the same.

use boltseal_model::Digest;
use boltseal_scan::pack::{ChunkInfo, Index, MAX_CHUNKS, Record, read_chunk};

/// The first byte: whether the rest is packed first, and whether it is an index or a chunk.
pub fn body(data: &[u8]) {
    let [which, rest @ ..] = data else { return };
    let packed = if which & 1 == 0 { rest.to_vec() } else { zstd::bulk::compress(rest, 1).unwrap() };
    if which & 2 == 0 { index(&packed) } else { chunk(&packed, rest.len() as u64) }
}

fn index(packed: &[u8]) {
    assert!(Index::decode(packed, &Digest::of(b"another")).is_err());
    let Ok(index) = Index::decode(packed, &Digest::of(packed)) else { return };
    assert!(index.chunks.len() <= MAX_CHUNKS);
    assert!(index.bytes() <= index.chunks.iter().map(|chunk| chunk.bytes).sum());
    let again = index.encode().unwrap();
    assert_eq!(Index::decode(&again, &Digest::of(&again)).unwrap(), index);
}

fn chunk(packed: &[u8], plain: u64) {
    let info = ChunkInfo { digest: Digest::of(packed), bytes: packed.len() as u64, plain };
    let mut records: Vec<Record> = Vec::new();
    let read = read_chunk(packed, &info, &mut |record| records.push(record));
    let info = ChunkInfo { digest: Digest::of(b"another"), ..info };
    assert!(read_chunk(packed, &info, &mut |_| panic!("a record of a chunk that is another")).is_err());
    if read.is_err() {
        return;
    }
    let mut lines = Vec::new();
    for record in &records {
        serde_json::to_writer(&mut lines, record).unwrap();
        lines.push(b'\n');
    }
    let packed = zstd::bulk::compress(&lines, 1).unwrap();
    let info =
        ChunkInfo { digest: Digest::of(&packed), bytes: packed.len() as u64, plain: lines.len() as u64 };
    let mut again = Vec::new();
    read_chunk(&packed, &info, &mut |record| again.push(record)).unwrap();
    assert_eq!(again, records);
}
