//! Our log, checked by an implementation that is not ours: the `sumdb` packages of golang.org/x/mod, which every Go
//! toolchain carries for its own commands.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use boltseal_audit::log::{Folder, Log, Proof, Signer, Storage as _};

use super::{ORIGIN, entry};

/// Packages of golang.org/x/mod that the program needs.
const PACKAGES: [&str; 2] = ["sumdb/note", "sumdb/tlog"];

/// Builds the program with the toolchain's own copy of golang.org/x/mod, without any network.
fn build(go: &Path, folder: &Path) -> Option<PathBuf> {
    let root = Command::new(go).args(["env", "GOROOT"]).output().unwrap();
    let root = PathBuf::from(String::from_utf8(root.stdout).unwrap().trim());
    let vendored = root.join("src/cmd/vendor/golang.org/x/mod");
    if !vendored.is_dir() {
        boltseal_testkit::skip("no golang.org/x/mod in this Go toolchain");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    for file in ["go.mod", "main.go"] {
        fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    for package in PACKAGES {
        let to = folder.join("vendor/golang.org/x/mod").join(package);
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(vendored.join(package)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let module = fs::read_to_string(folder.join("go.mod")).unwrap();
    let version = module.lines().find_map(|line| line.strip_prefix("require ")).unwrap();
    let packages = PACKAGES.map(|package| format!("golang.org/x/mod/{package}\n")).concat();
    // The language version of the copy, which stands in the line after its name.
    let list = fs::read_to_string(root.join("src/cmd/vendor/modules.txt")).unwrap();
    let language = list.lines().skip_while(|line| !line.starts_with("# golang.org/x/mod ")).nth(1).unwrap();
    fs::write(folder.join("vendor/modules.txt"), format!("# {version}\n{language}\n{packages}")).unwrap();
    let built = Command::new(go)
        .args(["build", "-mod=vendor", "-o", "foreign", "."])
        .envs([("GOFLAGS", ""), ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0")])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(folder.join("foreign"))
}

#[test]
fn a_foreign_implementation_verifies_our_log() {
    let Some(go) = boltseal_testkit::peer("go") else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = build(&go, folder.path()) else { return };
    let signer = Signer::generate(ORIGIN).unwrap();
    let root = folder.path().join("audit");
    let mut log = Log::open(Folder::open(&root).unwrap(), signer).unwrap();
    let run = |key: &str, proofs: &[PathBuf]| {
        let output = Command::new(&program).arg(key).arg(&root).args(proofs).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };
    let key = log.signer().verifier_key();
    for size in [1_u64, 2, 255, 256, 257, 700, 66_000] {
        let entries: Vec<Vec<u8>> = (log.size()..size).map(entry).collect();
        log.append(&entries).unwrap();
        let proofs: Vec<PathBuf> = [0, size / 2, size - 1]
            .map(|index| {
                let path = folder.path().join(format!("{index}.tlog-proof"));
                fs::write(&path, Proof::make(&log.reader(), index).unwrap().to_string()).unwrap();
                path
            })
            .to_vec();
        assert_eq!(run(&key, &proofs), Ok(size.to_string()));
    }
    let disk = Folder::open(&root).unwrap();
    let mut bundle = disk.read("tile/entries/007").unwrap().unwrap();
    bundle[99] ^= 1;
    disk.write("tile/entries/007", &bundle).unwrap();
    assert!(run(&key, &[]).is_err(), "the program can tell");
}
