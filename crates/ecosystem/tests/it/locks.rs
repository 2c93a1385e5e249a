//! Which folders lock files speak for, and what of them reaches a catalog.

use boltseal_ecosystem::{Everything, catalog, lock};
use boltseal_model::{FileMeta, Selector as _, Want};

use crate::{catalog::DEBIAN_12, shared::Builder};

const LOCK: &str = r#"{"lockfileVersion": 3, "packages": {
    "node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "2.0.0", "dev": true}}}"#;

#[test]
fn lock_files_speak_for_source_code_only() {
    let path = "package-lock.json";
    let meta = FileMeta { size: 100, mode: 0o755, ..FileMeta::default() };
    assert_ne!(Everything.want(path, &meta), Want::Whole, "not in an image");
    assert_eq!(Everything.want_in_folder(path, &meta), Want::Whole);
    let project = Builder::default().folder().with_mode(path, 0o755, LOCK.as_bytes());
    let found = catalog(&project.tree());
    let names: Vec<_> = found.packages.iter().map(|package| (&*package.name, &*package.paths[0])).collect();
    assert_eq!(names, [("a", path)], "what only development needs is left out");
    let system = Builder::default().folder().file(path, LOCK).file("etc/os-release", DEBIAN_12).tree();
    assert_eq!(catalog(&system).packages, [], "a root file system has what is installed in it");
}

/// File, content, names in it and whether only development needs them.
type Case = (&'static str, &'static str, &'static [(&'static str, bool)]);

#[test]
fn what_is_for_development_is_known() {
    let cases: &[Case] = &[
        ("package-lock.json", LOCK, &[("a", false), ("b", true)]),
        (
            "uv.lock",
            "[[package]]\nname=\"p\"\nversion=\"0\"\nsource={editable=\".\"}\ndependencies=[{name=\"a\"}]\n\
             [package.dev-dependencies]\ndev=[{name=\"b\"}]\n\
             [[package]]\nname=\"a\"\nversion=\"1\"\n[[package]]\nname=\"b\"\nversion=\"1\"\n",
            &[("a", false), ("b", true)],
        ),
        (
            "bun.lock",
            r#"{"workspaces": {"": {"dependencies": {"a": "1"}, "devDependencies": {"b": "1"}}}, "packages": {
                "a": ["a@1.0.0", "", {"dependencies": {"c": "1"}}, ""], "b": ["b@1.0.0", "", {}, ""],
                "a/c": ["c@1.0.0", "", {}, ""], "c": ["c@2.0.0", "", {}, ""],}}"#,
            &[("a", false), ("c", false), ("b", true), ("c", true)],
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0\n    \
             devDependencies:\n      b:\n        specifier: ^1\n        version: 1.0.0\npackages:\n  a@1.0.0:\n    x: y\n  \
             b@1.0.0:\n    x: y\n  c@1.0.0:\n    x: y\nsnapshots:\n  a@1.0.0:\n    dependencies:\n      c: 1.0.0\n  b@1.0.0: {}\n  c@1.0.0: {}\n",
            &[("a", false), ("c", false), ("b", true)],
        ),
        (
            "Pipfile.lock",
            r#"{"default": {"a": {"version": "==1"}}, "develop": {"b": {"version": "==1"}}}"#,
            &[("a", false), ("b", true)],
        ),
        ("poetry.lock", "[[package]]\nname=\"b\"\nversion=\"1\"\ngroups=[\"dev\"]\n", &[("b", true)]),
        ("requirements-dev.txt", "b==1\n", &[("b", true)]),
        (
            "composer.lock",
            r#"{"packages": [{"name": "a/a", "version": "1"}], "packages-dev": [{"name": "b/b", "version": "1"}]}"#,
            &[("a/a", false), ("b/b", true)],
        ),
        (
            "pubspec.lock",
            "packages:\n  b:\n    dependency: \"direct dev\"\n    version: \"1\"\n",
            &[("b", true)],
        ),
        (
            "gradle.lockfile",
            "g:a:1=runtimeClasspath,testRuntimeClasspath\ng:b:1=testCompileClasspath\n",
            &[("g:a", false), ("g:b", true)],
        ),
        ("conan.lock", r#"{"requires": ["a/1"], "build_requires": ["b/1"]}"#, &[("a", false), ("b", true)]),
    ];
    for (path, content, expected) in cases {
        let tree = Builder::default().folder().file(path, content).tree();
        let (pins, problem) = lock::pins(&tree, path).unwrap();
        assert_eq!(problem, None, "{path}");
        let mut found: Vec<_> = pins.iter().map(|pin| (&*pin.name, pin.development)).collect();
        found.sort_by_key(|(name, development)| (*development, *name));
        assert_eq!(found, *expected, "{path}");
    }
}

#[test]
fn properties_that_multiply_come_to_an_end() {
    let twice = |n: usize| format!("<p{n}>{}</p{n}>", format!("${{p{}}}", n + 1).repeat(50));
    let properties: String = (0..16).map(twice).collect();
    let pom = format!(
        "<project><properties>{properties}<p16></p16></properties><dependencies><dependency><groupId>g</groupId>\
         <artifactId>a</artifactId><version>${{p0}}</version></dependency></dependencies></project>"
    );
    let tree = Builder::default().folder().file("pom.xml", pom).tree();
    let (pins, _) = lock::pins(&tree, "pom.xml").unwrap();
    assert_eq!((pins.len(), &*pins[0].version), (1, ""), "a version nobody can tell");
}
