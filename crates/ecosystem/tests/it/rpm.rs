//! rpm databases: real ones of every kind, made ones, and what rpm itself says of them.

use std::{collections::BTreeSet, path::Path, process::Command};

use boltseal_ecosystem::{Ecosystem, by_id, catalog, purl, rpm::Rpm};
use boltseal_model::{GapKind, Package, Tree};

use crate::shared::{self, Builder};

const FIXTURES: &str = "data/fixtures/rpmdb.tar.zst";
const DATABASES: [(&str, &str); 3] = [
    ("libuuid-bdb", "var/lib/rpm/Packages"),
    ("sle15-ndb", "usr/lib/sysimage/rpm/Packages.db"),
    ("cbl-mariner-sqlite", "var/lib/rpm/rpmdb.sqlite"),
];

fn tree(os: &str, path: &str, content: &[u8]) -> Tree {
    Builder::default().layer().file("etc/os-release", os).file(path, content).tree()
}

/// Name, epoch, version, release, architecture and source package, as `expected.tsv` has them.
fn line(package: &Package) -> String {
    let qualifier = |key: &str| purl::qualifier(&package.purl, key).unwrap_or_default();
    let epoch = qualifier("epoch");
    let epoch = if epoch.is_empty() { "0" } else { &epoch };
    let version = package.version.split_once(':').map_or(&*package.version, |(_, version)| version);
    let (version, release) = version.rsplit_once('-').unwrap();
    [&package.name, epoch, version, release, package.architecture.as_deref().unwrap(), &qualifier("upstream")]
        .join("\t")
}

#[test]
fn databases_of_every_kind() {
    let Some(files) = shared::archive(FIXTURES) else { return };
    for (folder, path) in DATABASES {
        let name = path.rsplit('/').next().unwrap();
        let database = &files[&format!("rpmdb/{folder}/{name}")];
        let found = catalog(&tree("ID=fedora\nVERSION_ID=40\n", path, database));
        assert_eq!(found.gaps, [], "{folder}");
        let mut lines: Vec<String> = found.packages.iter().map(line).collect();
        let mut expected: Vec<&str> =
            std::str::from_utf8(&files[&format!("rpmdb/{folder}/expected.tsv")]).unwrap().lines().collect();
        lines.sort_unstable();
        expected.sort_unstable();
        assert_eq!(lines, expected, "{folder}");
    }
}

/// A file cut anywhere, and one with any byte changed: no panic, and what is missing is said.
#[test]
fn damaged_databases_are_gaps() {
    let Some(files) = shared::archive(FIXTURES) else { return };
    for (folder, path) in DATABASES {
        let name = path.rsplit('/').next().unwrap();
        let database = &files[&format!("rpmdb/{folder}/{name}")];
        let whole = catalog(&tree("ID=fedora\nVERSION_ID=40\n", path, database)).packages.len();
        for step in 1..=20 {
            let cut = &database[..database.len() * step / 21];
            let found = catalog(&tree("ID=fedora\nVERSION_ID=40\n", path, cut));
            let missing = found.packages.len() < whole;
            assert!(
                !missing || found.gaps.iter().any(|gap| gap.kind == GapKind::FileNotParsed),
                "{folder} {step}"
            );
        }
        for step in 0..60 {
            let mut changed = database.clone();
            let place = if step < 30 { step * 137 % 4096 } else { step * 65_537 % changed.len() };
            changed[place] ^= 1 << (step % 8);
            let _ = catalog(&tree("ID=fedora\nVERSION_ID=40\n", path, &changed));
        }
    }
}

/// A package to build: everything that ends up in a header, with files.
struct Spec {
    name: &'static str,
    epoch: u32,
    version: &'static str,
    vendor: &'static str,
    module: &'static str,
    files: usize,
}

const fn spec(name: &'static str, version: &'static str, files: usize) -> Spec {
    Spec { name, epoch: 0, version, vendor: "Fedora Project", module: "", files }
}

/// Builds packages with `rpmbuild`, installs them (their database records only), and asks rpm what it has.
fn made(folder: &Path, specs: &[Spec]) -> Option<(Vec<u8>, BTreeSet<String>)> {
    let root = folder.to_str()?;
    for spec in specs {
        let files = (0..spec.files).map(|n| format!("/usr/share/{}/file-{n}\n", spec.name));
        let files = files.collect::<Vec<_>>().concat();
        let module = if spec.module.is_empty() {
            String::new()
        } else {
            format!("ModularityLabel: {}\n", spec.module)
        };
        let text = format!(
            "Name: {0}\nEpoch: {1}\nVersion: {2}\nRelease: 1\nVendor: {3}\n{module}Summary: x\nLicense: MIT\n\
             BuildArch: noarch\n%description\nx\n%install\nmkdir -p %{{buildroot}}/usr/share/{0}\ncd %{{buildroot}}/usr/share/{0}\n\
             for n in $(seq 0 {4}); do test $n -lt {5} && echo > file-$n; done || true\n%files\n{files}",
            spec.name, spec.epoch, spec.version, spec.vendor, spec.files, spec.files
        );
        let path = folder.join(format!("{}.spec", spec.name));
        std::fs::write(&path, text).ok()?;
        let built = Command::new("rpmbuild")
            .args(["-bb", "--quiet", "--define", &format!("_topdir {root}/build")])
            .args(["--define", "_build_id_links none", "--nodebuginfo"])
            .arg(&path)
            .output()
            .ok()?;
        if !built.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&built.stderr));
            return None;
        }
    }
    let rpms =
        Command::new("sh").arg("-c").arg(format!("ls {root}/build/RPMS/noarch/*.rpm")).output().ok()?;
    let rpms = String::from_utf8(rpms.stdout).ok()?;
    let rpm = |arguments: &[&str]| {
        let output = Command::new("rpm")
            .args(["--dbpath", &format!("{root}/db"), "--define", "_db_backend sqlite"])
            .args(arguments)
            .output()
            .ok()?;
        if !output.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        output.status.success().then_some(output.stdout)
    };
    let mut install = vec!["-i", "--justdb", "--nodeps", "--noscripts", "--nosignature", "--ignorearch"];
    install.extend(rpms.lines());
    rpm(&install)?;
    let listed = rpm(&[
        "-qa",
        "--qf",
        "%{NAME} %|EPOCH?{%{EPOCH}}:{0}|:%{VERSION}-%{RELEASE}.%{ARCH} %{SOURCERPM}\n",
    ])?;
    let listed = String::from_utf8(listed).ok()?.lines().map(str::to_owned).collect();
    Some((std::fs::read(folder.join("db/rpmdb.sqlite")).ok()?, listed))
}

/// Small and large headers, which lie on overflow pages.
#[test]
fn a_database_that_rpm_made() {
    if Command::new("rpmbuild").arg("--version").output().is_err() {
        return shared::skip("no rpmbuild on the PATH");
    }
    let specs = [
        spec("small", "1.0~rc1", 0),
        spec("medium", "2.0^git1", 60),
        spec("large", "3", 3000),
        Spec { epoch: 7, ..spec("epoch", "4", 1) },
        Spec { vendor: "Docker, Inc.", ..spec("docker-ce", "5", 1) },
        Spec { module: "nodejs:18:8080020230718144107:63b34585", ..spec("nodejs", "18", 1) },
    ];
    let folder = tempfile::tempdir().unwrap();
    let Some((database, listed)) = made(folder.path(), &specs) else {
        return shared::skip("rpmbuild cannot build here");
    };
    let tree = tree("ID=fedora\nVERSION_ID=40\n", "var/lib/rpm/rpmdb.sqlite", &database);
    let found = catalog(&tree);
    assert_eq!(found.gaps, []);
    let ours = found.packages.iter().map(|package| {
        let epoch = if package.version.contains(':') { "" } else { "0:" };
        let upstream = purl::qualifier(&package.purl, "upstream").unwrap();
        format!("{} {epoch}{}.noarch {upstream}", package.name, package.version)
    });
    assert_eq!(ours.collect::<BTreeSet<_>>(), listed);
    let package = |name: &str| found.packages.iter().find(|package| package.name == name).unwrap();
    let space = |name: &str| Rpm.space(package(name), found.distro.as_ref()).unwrap();
    assert_eq!((space("small"), space("docker-ce")), ("fedora:40".to_owned(), "rpm:docker-inc".to_owned()));
    assert!(package("docker-ce").purl.starts_with("pkg:rpm/docker-inc/docker-ce@5-1?"));
    let names: Vec<String> =
        Rpm.known_as(package("nodejs")).iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["nodejs:18/nodejs", "*/nodejs"]);
    let mut owners = boltseal_ecosystem::Owners::default();
    Rpm.owners(&tree, &mut owners);
    assert_eq!(owners.of("usr/share/large/file-2999"), Some("large"));
    assert_eq!(owners.of("usr/share/docker-ce/file-0"), Some("docker-ce"));
}

/// Every header of the SQLite fixture, as rpm wrote it: taken out with the tool of SQLite.
fn headers(folder: &Path, sqlite: &[u8]) -> Option<Vec<String>> {
    let path = folder.join("sqlite");
    std::fs::write(&path, sqlite).unwrap();
    let rows = Command::new("sqlite3").arg(&path).arg("select hex(blob) from Packages").output();
    let Ok(rows) = rows else {
        shared::skip("no sqlite3 on the PATH");
        return None;
    };
    Some(String::from_utf8(rows.stdout).unwrap().lines().map(str::to_lowercase).collect())
}

/// A hash file of Berkeley DB with `headers`, in a byte order. Today's rpm only reads these.
fn hash_file(folder: &Path, headers: &[String], order: &str) -> Option<Vec<u8>> {
    let mut dump =
        "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\nHEADER=END\n 00000000\n 81000000\n"
            .to_owned();
    for (index, header) in (1_u32..).zip(headers) {
        let key: Vec<String> = index.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        dump += &[" ", &key.concat(), "\n ", header, "\n"].concat();
    }
    let (input, output) = (folder.join("dump"), folder.join(order));
    std::fs::write(&input, dump + "DATA=END\n").unwrap();
    let lorder = format!("db_lorder={order}");
    let load = ["db5.3_load", "db_load"].into_iter().find_map(|tool| {
        Command::new(tool).args(["-c", &lorder, "-f"]).args([&input, &output]).output().ok()
    });
    let Some(load) = load else {
        shared::skip("no db_load on the PATH");
        return None;
    };
    assert!(load.status.success(), "{}", String::from_utf8_lossy(&load.stderr));
    Some(std::fs::read(output).unwrap())
}

/// An ndb file with `headers`, written after `lib/backend/ndb/rpmpkg.c`: every second slot is free.
fn ndb_file(headers: &[String]) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let pages = (2 + 2 * headers.len()) * 16 / 4096 + 1;
    let mut file =
        [&b"RpmP"[..], &number(0), &number(1), &number(pages), &number(headers.len() + 1)].concat();
    file.resize(32, 0);
    let mut blobs: Vec<u8> = Vec::new();
    for (index, header) in (1..).zip(headers) {
        let header: Vec<u8> = (0..header.len() / 2)
            .map(|at| u8::from_str_radix(&header[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let start = (pages * 4096 + blobs.len()) / 16;
        blobs.extend([&b"BlbS"[..], &number(index), &number(1), &number(header.len()), &header].concat());
        blobs.extend([&[0; 4][..], &number(header.len()), b"BlbE"].concat());
        blobs.resize(blobs.len().next_multiple_of(16), 0);
        let blocks = pages * 256 + blobs.len() / 16 - start;
        file.extend(
            [b"Slot", &[0; 12][..], b"Slot", &number(index), &number(start), &number(blocks)].concat(),
        );
    }
    while file.len() < pages * 4096 {
        file.extend([&b"Slot"[..], &[0; 12]].concat());
    }
    [file, blobs].concat()
}

#[test]
fn the_same_headers_in_other_kinds_of_files() {
    let Some(files) = shared::archive(FIXTURES) else { return };
    let folder = tempfile::tempdir().unwrap();
    let os = "ID=mariner\nVERSION_ID=2.0\n";
    let sqlite = &files["rpmdb/cbl-mariner-sqlite/rpmdb.sqlite"];
    let Some(headers) = headers(folder.path(), sqlite) else { return };
    let lines = |name: &str, file: &[u8]| {
        let found = catalog(&tree(os, &format!("var/lib/rpm/{name}"), file));
        assert_eq!((found.gaps.len(), found.packages.len()), (0, 129), "{name}");
        found.packages.iter().map(line).collect::<Vec<_>>()
    };
    let expected = lines("rpmdb.sqlite", sqlite);
    assert_eq!(lines("Packages.db", &ndb_file(&headers)), expected);
    for order in ["1234", "4321"] {
        let Some(file) = hash_file(folder.path(), &headers, order) else { return };
        assert_eq!(lines("Packages", &file), expected, "byte order {order}");
    }
}

#[test]
fn releases() {
    let listed = "bash-5.1.8-1.noarch\n";
    for (os, space, command) in [
        ("ID=\"rhel\"\nVERSION_ID=\"9.3\"\n", "redhat:9", "dnf upgrade -y bash"),
        ("ID=\"centos\"\nVERSION_ID=\"7\"\n", "redhat:7", "yum update -y bash"),
        ("ID=\"almalinux\"\nVERSION_ID=\"8.9\"\n", "almalinux:8", "dnf upgrade -y bash"),
        ("ID=\"rocky\"\nVERSION_ID=\"9.3\"\n", "rocky:9", "dnf upgrade -y bash"),
        ("ID=\"ol\"\nVERSION_ID=\"8.9\"\n", "oracle:8", "dnf upgrade -y bash"),
        ("ID=fedora\nVERSION_ID=40\n", "fedora:40", "dnf upgrade -y bash"),
        ("ID=\"amzn\"\nVERSION_ID=\"2018.03\"\n", "amazon:1", "yum update -y bash"),
        ("ID=\"amzn\"\nVERSION_ID=\"2\"\n", "amazon:2", "yum update -y bash"),
        ("ID=\"amzn\"\nVERSION_ID=\"2023\"\n", "amazon:2023", "dnf upgrade -y bash"),
        ("ID=\"sles\"\nVERSION_ID=\"15.5\"\n", "suse:15.5", "zypper --non-interactive update bash"),
        ("ID=\"sl-micro\"\nVERSION_ID=\"6.0\"\n", "suse:micro-6.0", "zypper --non-interactive update bash"),
        (
            "ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n",
            "opensuse:15.5",
            "zypper --non-interactive update bash",
        ),
        (
            "ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20240101\"\n",
            "opensuse:tumbleweed",
            "zypper --non-interactive update bash",
        ),
        (
            "ID=\"openEuler\"\nVERSION_ID=\"22.03\"\nPRETTY_NAME=\"openEuler 22.03 (LTS-SP1)\"\n",
            "openeuler:22.03-lts-sp1",
            "dnf upgrade -y bash",
        ),
        ("ID=photon\nVERSION_ID=5.0\n", "photon:5", "tdnf update -y bash"),
        ("ID=mariner\nVERSION_ID=\"2.0\"\n", "azurelinux:2", "tdnf update -y bash"),
        ("ID=azurelinux\nVERSION_ID=\"3.0\"\n", "azurelinux:3", "tdnf update -y bash"),
    ] {
        let found = catalog(&tree(os, "var/lib/rpmmanifest/container-manifest-1", listed.as_bytes()));
        assert_eq!(found.gaps, [], "{os}");
        assert_eq!(Rpm.space(&found.packages[0], found.distro.as_ref()).as_deref(), Some(space), "{os}");
        assert_eq!(boltseal_ecosystem::of_space(space).map(Ecosystem::id), Some("rpm"));
        assert_eq!(by_id("rpm").unwrap().fix_command(&found.packages[0], "9"), command, "{os}");
    }
}

/// As Azure Linux writes it: <https://github.com/microsoft/azurelinux>, `toolkit/docs`, distroless images.
#[test]
fn manifests_of_distroless_images() {
    let line = "mariner-release\t2.0-12.cm2\t1653816591\t1653753130\tMicrosoft Corporation\t(none)\t580\tnoarch\t0\tmariner-release-2.0-12.cm2.src.rpm\n";
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", "ID=mariner\nVERSION_ID=\"2.0\"\n")
        .file("var/lib/rpmmanifest/container-manifest-1", "mariner-release-2.0-12.cm2.noarch\n")
        .file("var/lib/rpmmanifest/container-manifest-2", line.to_owned() + "nonsense\n")
        .tree();
    let found = catalog(&tree);
    assert_eq!(found.packages.len(), 1);
    assert_eq!(
        found.packages[0].purl,
        "pkg:rpm/mariner/mariner-release@2.0-12.cm2?arch=noarch&distro=mariner-2.0&upstream=mariner-release-2.0-12.cm2.src.rpm"
    );
    assert!(found.gaps[0].detail.starts_with("line 2: "), "{:?}", found.gaps);
}

/// Copies three packages, of which the first gets into the database, and each of the others into the log, and ends as a
/// machine does that loses its power.
const CRASH: &str = r#"
import os, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("SELECT blob FROM Packages ORDER BY length(blob) DESC LIMIT 3").fetchall()
db = sqlite3.connect(sys.argv[2], isolation_level=None)
db.execute("PRAGMA page_size = " + sys.argv[3])
db.execute("PRAGMA journal_mode = WAL")
db.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
for number, row in enumerate(rows):
    db.execute("INSERT INTO Packages(blob) VALUES (?)", row)
    if number == 0:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
os._exit(0)
"#;

/// What SQLite itself left in a log.
#[test]
fn changes_in_a_log_count() {
    let Some(files) = shared::archive(FIXTURES) else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    std::fs::write(&source, &files["rpmdb/cbl-mariner-sqlite/rpmdb.sqlite"]).unwrap();
    for size in ["512", "4096", "65536"] {
        let made = folder.path().join(size);
        let python = Command::new("python3").arg("-c").arg(CRASH).arg(&source).arg(&made).arg(size).status();
        if !python.is_ok_and(|status| status.success()) {
            eprintln!("skipped: there is no python3 with sqlite3 to make a log");
            return;
        }
        let database = std::fs::read(&made).unwrap();
        let log = std::fs::read(folder.path().join(format!("{size}-wal"))).unwrap();
        let read = |log: &[u8]| {
            let (os, path) = ("ID=mariner\nVERSION_ID=\"2.0\"\n", "var/lib/rpm/rpmdb.sqlite");
            let found =
                catalog(&Builder::from(tree(os, path, &database)).file(&format!("{path}-wal"), log).tree());
            (found.packages.len(), found.gaps.len())
        };
        let mut flipped = log.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let left_over = [&log[..], &[7; 3000]].concat();
        assert_eq!(read(b""), (1, 0), "the first is in the database");
        assert_eq!(read(&log), (3, 0), "pages of {size}");
        assert_eq!(read(&flipped), (2, 0), "a change that was not finished does not count");
        assert_eq!(read(&log[..log.len() - 1]), (2, 0), "nor one that is cut off");
        assert_eq!(read(&left_over), (3, 0), "what is no frame ends the log");
        assert_eq!(read(&log[..31]), (1, 1), "a log without a head is a gap");
        flipped[9] ^= 1;
        assert_eq!(read(&flipped), (1, 1), "and so is one with a damaged head");
    }
}
