//! Files that are broken, or made to hurt.

#[path = "../../../../fuzz/bodies/feed.rs"]
mod feed;

use std::fs;
use std::io::Write as _;

use boltseal_feed::{Error, Progress, Silent, import, list, read_all, read_bytes};
use boltseal_model::Timestamp;
use tempfile::TempDir;

use crate::{Collected, record, zipped};

#[test]
fn a_broken_file_never_replaces_a_good_one() {
    let (raw, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let export = folder.path().join("PyPI");
    fs::create_dir(&export).unwrap();
    let file = export.join("all.zip");
    let good = zipped(&[("A.json", &record("A", "a")), ("B.json", &record("B", "b"))]);
    let import_now =
        || import(raw.path(), std::slice::from_ref(&file), Timestamp::UNIX_EPOCH, &Silent).unwrap();
    fs::write(&file, &good).unwrap();
    fs::write(raw.path().join(".part-of-a-killed-import"), "half").unwrap();
    assert!(import_now().failed.is_empty());
    assert!(!raw.path().join(".part-of-a-killed-import").exists());
    let stored = list(raw.path()).unwrap();
    for cut in [0, 1, 30, good.len() / 2, good.len() - 30, good.len() - 1] {
        fs::write(&file, &good[..cut]).unwrap();
        let report = import_now();
        assert_eq!((report.failed.len(), report.feeds.len()), (1, 0), "cut at {cut}: {report:?}");
        assert!(report.failed[0].1.to_string().contains("all.zip"), "{:?}", report.failed);
        assert_eq!(list(raw.path()).unwrap(), stored);
    }
    let mut flipped = good.clone();
    flipped[60] ^= 0xff;
    fs::write(&file, flipped).unwrap();
    assert_eq!(import_now().failed.len(), 1, "a checksum that does not fit");
    fs::write(&file, zipped(&[("README.md", "# nothing here")])).unwrap();
    assert!(matches!(import_now().failed[0].1, Error::Unrecognised { .. }));
    fs::write(&file, zipped(&[("A.json", r#"{"id":"","modified":"x","affected":[]}"#)])).unwrap();
    assert!(matches!(import_now().failed[0].1, Error::Empty { rejected: 1, .. }));
    let mut said = Collected::default();
    read_all(raw.path(), &mut said).unwrap();
    assert_eq!(said.advisories.len(), 2);
    let left: Vec<_> = fs::read_dir(raw.path().join("osv:PyPI")).unwrap().collect();
    assert_eq!(left.len(), 2, "one part and its index, nothing half-written: {left:?}");
}

#[test]
fn bad_records_do_not_spoil_the_rest() {
    let bytes = zipped(&[
        ("A.json", &record("A", "a")),
        ("B.json", r#"{"id":7,"modified":"x"}"#),
        ("C.json", &record("C", "c")),
    ]);
    let folder = TempDir::new().unwrap();
    let (raw, file) = (folder.path().join("raw"), folder.path().join("mine.zip"));
    fs::write(&file, bytes).unwrap();
    let report = import(&raw, &[file], Timestamp::UNIX_EPOCH, &Silent).unwrap();
    assert_eq!((report.feeds[0].id.as_str(), report.feeds[0].tally.records), ("osv:mine", 2));
    assert_eq!(report.feeds[0].tally.rejected, 1);
    assert!(report.rejected[0].0.ends_with("mine.zip/B.json"), "{:?}", report.rejected);
}

/// Sums up what a progress bar would show.
#[derive(Default)]
struct Bar(std::cell::RefCell<Vec<(u64, u64)>>);

impl Progress for Bar {
    fn begin(&self, _: &str, total: Option<u64>) {
        self.0.borrow_mut().push((0, total.unwrap()));
    }

    fn advance(&self, bytes: u64) {
        self.0.borrow_mut().last_mut().unwrap().0 += bytes;
    }
}

#[test]
fn progress_reaches_the_end() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("epss.csv.zst");
    let table = format!("cve,epss,percentile\n{}", "CVE-2024-1,0.1,0.2\n".repeat(100_000));
    fs::write(&file, zstd::encode_all(table.as_bytes(), 1).unwrap()).unwrap();
    let bar = Bar::default();
    import(&folder.path().join("raw"), &[file], Timestamp::UNIX_EPOCH, &bar).unwrap();
    let shown = bar.0.borrow();
    let (done, total) = shown[0];
    assert!(shown.len() == 1 && done >= total && done < total + 100, "{done} of {total}");
}

#[test]
fn folders_and_single_files() {
    let folder = TempDir::new().unwrap();
    let (raw, data) = (folder.path().join("raw"), folder.path().join("data"));
    fs::create_dir_all(data.join("npm/deep/er")).unwrap();
    fs::write(data.join("A.json"), record("A", "a")).unwrap();
    fs::write(data.join("npm/B.json"), record("B", "b")).unwrap();
    fs::write(data.join("npm/deep/er/C.json"), record("C", "c")).unwrap();
    fs::write(
        data.join("lines.jsonl"),
        format!("{}\n{}\n", record("D", "d").replace('\n', ""), record("E", "e").replace('\n', "")),
    )
    .unwrap();
    fs::write(data.join("notes.txt"), "hello").unwrap();
    let report = import(&raw, std::slice::from_ref(&data), Timestamp::UNIX_EPOCH, &Silent).unwrap();
    let feeds: Vec<_> = report.feeds.iter().map(|feed| (feed.id.as_str(), feed.tally.records)).collect();
    assert_eq!(feeds, [("osv:data", 3), ("osv:npm", 2)]);
    assert_eq!((report.ignored_count, report.ignored.len()), (1, 1));
    let missing = import(&raw, &[data.join("nowhere")], Timestamp::UNIX_EPOCH, &Silent).unwrap();
    assert!(missing.failed[0].1.to_string().contains("nowhere"));
}

#[test]
fn bombs() {
    // A table of 80 MB of remarks in 80 KB, as zip, gzip and zstd.
    let remark = format!("#{}\n", " ".repeat(4095));
    let blanks = format!("cve,epss,percentile\n{}", remark.repeat(20_000)).into_bytes();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("epss.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&blanks).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&blanks).unwrap();
    let zstd = zstd::encode_all(&blanks[..], 1).unwrap();
    let bombs =
        [("zip", zip.finish().unwrap().into_inner()), ("gzip", gzip.finish().unwrap()), ("zstd", zstd)];
    for (what, bomb) in bombs {
        let error = read_bytes("epss.csv", &bomb, &mut Collected::default()).unwrap_err().to_string();
        assert!(error.contains("the ratio of its size to its compressed size"), "{what}: {error}");
    }
}

#[test]
fn lies_in_a_zip() {
    // A directory that claims far more entries than there can be.
    let mut many = zipped(&[("A.json", "{}")]);
    let end = many.len() - 22;
    many[end + 10..end + 12].copy_from_slice(&u16::MAX.to_le_bytes());
    let mut locator = b"PK\x06\x06".to_vec();
    locator.extend([0; 20]);
    locator.extend(u64::MAX.to_le_bytes());
    locator.extend(u64::MAX.to_le_bytes());
    locator.extend([0; 16]);
    let offset = end as u64;
    locator.extend(b"PK\x06\x07\0\0\0\0");
    locator.extend(offset.to_le_bytes());
    locator.extend([1, 0, 0, 0]);
    many.splice(end..end, locator);
    let error = read_bytes("all.zip", &many, &mut Collected::default()).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");
    // Names are shown, never followed.
    let outside =
        zipped(&[("../../../etc/passwd", &record("A", "a")), ("/abs\u{7}olute.json", &record("B", "b"))]);
    let mut said = Collected::default();
    read_bytes("all.zip", &outside, &mut said).unwrap();
    assert_eq!(said.advisories.len(), 2);
}

/// Documents in XML that are refused as a whole, and why.
#[test]
fn hostile_xml() {
    let update =
        |inside: &str| format!("<updates><update type=\"security\"><id>{inside}</id></update></updates>");
    let deep = format!("<updates>{}</updates>", "<update>".repeat(100));
    let cases = [
        ("<!DOCTYPE updates [<!ENTITY a \"b\">]>".to_owned() + &update("&a;"), "document type declaration"),
        (update("&nbsp;"), "not defined"),
        (update("&#0;"), "updateinfo"),
        (deep, "the depth of elements"),
        (update("1").replace("</updates>", ""), "cut off"),
        (update("1").replace("</id>", "</other>"), "updateinfo"),
    ];
    for (xml, why) in cases {
        let error = read_bytes("updateinfo.xml", xml.as_bytes(), &mut Collected::default()).unwrap_err();
        assert!(error.to_string().contains(why), "{error} for {xml}");
    }
    // One that says nothing of use, and one of a later version with elements that nobody knows.
    let mut said = Collected::default();
    read_bytes("updateinfo.xml", b"<updates></updates>", &mut said).unwrap();
    read_bytes("updateinfo.xml", update("1</id><new><newer/></new><id>2").as_bytes(), &mut said).unwrap();
    assert!(said.advisories.is_empty());
}

#[test]
fn mutations_never_panic() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/feed");
    let mut files: Vec<_> = fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 8);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below.max(1) as u64).unwrap()
    };
    for input in boltseal_testkit::found("feed") {
        feed::body(&input);
    }
    for file in files {
        let seed = fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let tallies = read_bytes(&name, &seed, &mut Collected::default()).unwrap();
        assert!(!tallies.is_empty(), "{name} is recognised");
        feed::body(&seed);
        for _ in 0..300 {
            let mut bytes = seed.clone();
            for _ in 0..=next(4) {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, u8::try_from(next(256)).unwrap()),
                    2 => drop(bytes.splice(at..at, b"\"{[0,".iter().copied())),
                    _ => {
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 1 << next(8);
                        }
                    }
                }
            }
            feed::body(&bytes);
        }
    }
}
