//! What no scanner of a whole image can go below: read its layers, inflate them, and hash both forms, in one thread.
//!
//! With the inflating and the hashing that the scanner has too, but nothing of what it reads them for.

use std::{fs::File, io::Read as _, path::Path};

use anyhow::{Context as _, Result, ensure};
use boltseal_sys::Sha256;
use flate2::{Decompress, FlushDecompress, Status};

use super::{Series, images::Layout, series};
use crate::process::measure;

/// The hidden first argument of the process that is measured; layers follow.
pub const LIMIT: &str = "__limit";
/// Bytes of a header without a name or anything else (RFC 1952, section 2.3).
const HEADER: usize = 10;
/// Bytes that are read, and inflated, at a time.
const PIECE: usize = 256 << 10;

/// Measures it for `image`; `None` where a layer is not plain gzip.
pub(super) fn run(image: &Layout) -> Result<Option<Series>> {
    let this = std::env::current_exe()?;
    let this = this.to_str().context("this program has an odd name")?;
    let layers = image.layers()?;
    let mut command = vec![this, LIMIT];
    for layer in &layers {
        let mut head = [0; HEADER];
        File::open(layer)?.read_exact(&mut head)?;
        if head[..4] != [0x1f, 0x8b, 8, 0] {
            println!(
                "skipped: the physical limit, since a layer is not gzip, or has more than the plain header"
            );
            return Ok(None);
        }
        command.push(layer.to_str().context("a layer has an odd name")?);
    }
    series("read, inflate and hash in one thread", || measure(&command, &[0])).map(Some)
}

/// The process that is measured.
pub fn work(layers: &[String]) -> Result<()> {
    layers.iter().try_for_each(|layer| whole(Path::new(layer)))
}

fn whole(layer: &Path) -> Result<()> {
    let mut file = File::open(layer)?;
    let (mut read, mut made) = (vec![0; PIECE], vec![0; PIECE]);
    let (mut stored, mut archive) = (Sha256::new(), Sha256::new());
    let mut inflate = Decompress::new(false);
    let (mut header, mut status) = (HEADER, Status::Ok);
    loop {
        let count = file.read(&mut read)?;
        let mut rest = read.get(..count).context("a read of too much")?;
        if rest.is_empty() {
            break;
        }
        stored.update(rest);
        rest = rest.get(header..).context("a read of too little")?;
        header = 0;
        while status != Status::StreamEnd {
            let (before, begun) = (inflate.total_in(), inflate.total_out());
            status = inflate.decompress(rest, &mut made, FlushDecompress::None)?;
            rest = rest.get((inflate.total_in() - before) as usize..).unwrap_or_default();
            let filled = (inflate.total_out() - begun) as usize;
            archive.update(made.get(..filled).unwrap_or_default());
            if rest.is_empty() && filled < made.len() {
                break;
            }
        }
    }
    ensure!(status == Status::StreamEnd, "{} is cut off", layer.display());
    std::hint::black_box((stored.finish(), archive.finish()));
    Ok(())
}
