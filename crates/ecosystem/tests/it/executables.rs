//! Executables: built by Go where it is installed, and made by hand where no builder of today makes them.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use boltseal_ecosystem::{Everything, catalog};
use boltseal_model::{Package, Selector as _};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, write::Object};

use crate::shared::{Builder, skip};

fn packages(executable: &[u8]) -> Vec<Package> {
    let found = catalog(&Builder::default().layer().executable("usr/bin/tool", executable).tree());
    assert_eq!(found.gaps, []);
    assert!(found.packages.iter().all(|package| package.paths == ["usr/bin/tool"]));
    found.packages
}

fn names(packages: &[Package]) -> Vec<(&str, &str)> {
    packages.iter().map(|package| (&*package.name, &*package.version)).collect()
}

/// A module with one dependency that is replaced by a folder, built for several systems.
#[test]
fn built_by_go() {
    let Ok(version) = Command::new("go").args(["env", "GOVERSION"]).output() else {
        return skip("no go on the PATH");
    };
    let version = String::from_utf8(version.stdout).unwrap();
    let release = version.trim().trim_start_matches("go");
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        (
            "go.mod",
            "module example.com/tool\ngo 1.18\nrequire example.com/dep v1.2.3\nreplace example.com/dep => ./dep\n",
        ),
        ("main.go", "package main\nimport \"example.com/dep\"\nfunc main() { println(dep.Name) }\n"),
        ("dep/go.mod", "module example.com/dep\ngo 1.18\n"),
        ("dep/dep.go", "package dep\nconst Name = \"dep\"\n"),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for (system, flags) in [("linux", ""), ("linux", "-s -w"), ("windows", ""), ("darwin", "")] {
        let Some(executable) = go_build(folder.path(), system, flags) else {
            return skip("go cannot build here");
        };
        let found = packages(&executable);
        let expected = [("example.com/dep", "(devel)"), ("example.com/tool", "(devel)"), ("stdlib", release)];
        assert_eq!(names(&found), expected, "{system} {flags}");
        assert_eq!(found[1].purl, "pkg:golang/example.com/tool");
        assert_eq!(found[2].purl, format!("pkg:golang/stdlib@{release}"));
    }
}

fn go_build(folder: &Path, system: &str, flags: &str) -> Option<Vec<u8>> {
    let built = Command::new("go")
        .args(["build", "-trimpath", "-ldflags", flags, "-o", "tool.out", "."])
        .envs([("GOOS", system), ("GOARCH", "amd64"), ("GOFLAGS", "-mod=mod"), ("GOPROXY", "off")])
        .envs([("GO111MODULE", "on"), ("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local"), ("GOWORK", "off")])
        .current_dir(folder)
        .output()
        .ok()?;
    if !built.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&built.stderr));
        return None;
    }
    std::fs::read(folder.join("tool.out")).ok()
}

/// Go's own test data holds a real program of Go 1.17, in base64.
#[test]
fn built_by_go_1_17() {
    let Ok(root) = Command::new("go").args(["env", "GOROOT"]).output() else {
        return skip("no go on the PATH");
    };
    let root = String::from_utf8(root.stdout).unwrap();
    let path = Path::new(root.trim()).join("src/debug/buildinfo/testdata/go117/go117.base64");
    let Ok(text) = std::fs::read(&path) else { return skip("this go has no sample of Go 1.17") };
    let text: Vec<u8> = text.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let executable = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap();
    assert_eq!(names(&packages(&executable)), [("example.com/go117", "(devel)"), ("stdlib", "1.17")]);
}

const MODULES: &str =
    "path\texample.com/old\nmod\texample.com/old\tv0.9.0\t\ndep\tgolang.org/x/net\tv0.7.0\th1:x=\n";

/// Go before 1.18: addresses of strings, in either byte order and size, in a file without section headers.
#[test]
fn pointers_to_strings() {
    for (bits, big_endian) in [(64, false), (64, true), (32, false), (32, true)] {
        let executable = old_go(bits, big_endian);
        let expected = [("example.com/old", "v0.9.0"), ("golang.org/x/net", "v0.7.0"), ("stdlib", "1.16.3")];
        assert_eq!(names(&packages(&executable)), expected, "{bits} bits, big endian: {big_endian}");
    }
}

/// An ELF file with one segment: the block at its start, string headers at 64, strings from 128 on.
fn old_go(bits: u8, big_endian: bool) -> Vec<u8> {
    const ADDRESS: u64 = 0x40_0000;
    let number = |value: u64, size: u8| -> Vec<u8> {
        let little = value.to_le_bytes()[..usize::from(size)].to_vec();
        if big_endian { little.into_iter().rev().collect() } else { little }
    };
    let size = bits / 8;
    let modules = [&[0xaa; 16][..], MODULES.as_bytes(), &[0xbb; 16]].concat();
    let mut data = [&b"\xff Go buildinf:"[..], &[size, u8::from(big_endian)]].concat();
    data.extend([number(ADDRESS + 64, size), number(ADDRESS + 80, size)].concat());
    data.resize(64, 0);
    data.extend([number(ADDRESS + 128, size), number(8, size)].concat());
    data.resize(80, 0);
    data.extend([number(ADDRESS + 160, size), number(modules.len() as u64, size)].concat());
    data.resize(128, 0);
    data.extend(b"go1.16.3");
    data.resize(160, 0);
    data.extend(&modules);

    let wide = bits == 64;
    let (header, program) = if wide { (64, 56) } else { (52, 32) };
    let start = 128;
    let mut file =
        [&b"\x7fELF"[..], &[if wide { 2 } else { 1 }, if big_endian { 2 } else { 1 }, 1], &[0; 9]].concat();
    // Type, machine, version, entry, program headers, section headers, flags, and the sizes and counts of both.
    for (value, bytes) in
        [(2, 2), (62, 2), (1, 4), (ADDRESS, size), (header, size), (0, size), (0, 4), (header, 2)]
    {
        file.extend(number(value, bytes));
    }
    for value in [program, 1, 0, 0, 0] {
        file.extend(number(value, 2));
    }
    // One loaded, writable segment; where the flags stand depends on the size of a word.
    let length = data.len() as u64;
    let fields = if wide {
        vec![(1, 4), (6, 4), (start, 8), (ADDRESS, 8), (ADDRESS, 8), (length, 8), (length, 8), (16, 8)]
    } else {
        vec![(1, 4), (start, 4), (ADDRESS, 4), (ADDRESS, 4), (length, 4), (length, 4), (6, 4), (16, 4)]
    };
    for (value, bytes) in fields {
        file.extend(number(value, bytes));
    }
    file.resize(usize::try_from(start).unwrap(), 0);
    file.extend(data);
    file
}

fn deflate(json: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(json).unwrap();
    encoder.finish().unwrap()
}

fn with_section(format: BinaryFormat, section: &[u8], content: &[u8]) -> Vec<u8> {
    let mut object = Object::new(format, Architecture::X86_64, Endianness::Little);
    let segment = if format == BinaryFormat::MachO { b"__DATA".to_vec() } else { Vec::new() };
    let id = object.add_section(segment, section.to_vec(), SectionKind::ReadOnlyData);
    object.append_section_data(id, content, 16);
    object.write().unwrap()
}

#[test]
fn crates_in_an_auditable_executable() {
    let json = br#"{"packages":[
        {"name":"adler","version":"1.0.2","source":"crates.io"},
        {"name":"cc","version":"1.0.83","source":"crates.io","kind":"build"},
        {"name":"tool","version":"0.1.0","source":"local","root":true,"dependencies":[0]}]}"#;
    for format in [BinaryFormat::Elf, BinaryFormat::MachO] {
        let found = packages(&with_section(format, b".dep-v0", &deflate(json)));
        assert_eq!(names(&found), [("adler", "1.0.2"), ("tool", "0.1.0")], "{format:?}");
        assert_eq!(found[0].purl, "pkg:cargo/adler@1.0.2");
    }
}

#[test]
fn hostile_sections_are_refused_with_a_reason() {
    let bomb = deflate(&vec![b' '; 9 << 20]);
    let cut = deflate(br#"{"packages":[]}"#)[..8].to_vec();
    for (section, content, expected) in [
        (&b".dep-v0"[..], bomb, "larger than 8388608 bytes"),
        (b".dep-v0", cut, "cannot be read"),
        (b".dep-v0", b"no zlib".to_vec(), "cannot be read"),
        (b".dep-v0", deflate(br#"{"packages":[{"name":"a\n","version":"1"}]}"#), "forbidden characters"),
        (b".go.buildinfo", [&b"\xff Go buildinf:\x08\x02"[..], &[0; 16], &[0xff; 40]].concat(), "damaged"),
        (b".gopclntab", b"x".to_vec(), "without build information"),
    ] {
        let executable = with_section(BinaryFormat::Elf, section, &content);
        let problem = Everything.distill("usr/bin/tool", &executable).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
    let plain = with_section(BinaryFormat::Elf, b".rodata", b"nothing to see");
    assert_eq!(Everything.distill("usr/bin/tool", &plain), Ok(None));
}
