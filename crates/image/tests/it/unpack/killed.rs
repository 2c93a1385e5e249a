//! Processes that are killed while they unpack.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Read, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
};

use boltseal_image::{Blobs, Error, Layers, Options};
use boltseal_model::Digest;
use boltseal_testkit::image::{Compression, Image, Layer};

use super::{Place, names};

/// Tells the process that is to be killed where to unpack to.
const VICTIM: &str = "BOLTSEAL_TEST_UNPACK";

fn two_files() -> Image {
    Image::new().layer_as(Layer::new().file("a", "x").file("b", vec![b'y'; 3 << 20]), Compression::Plain)
}

/// Blobs of which the layer never ends.
struct Stuck(boltseal_testkit::image::Built);

impl Blobs for Stuck {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let bytes = self.0.blobs[digest].as_slice();
        let half = &bytes[..bytes.len() / 2];
        if self.0.layers().contains(digest) { Ok(Box::new(half.chain(Forever))) } else { Ok(Box::new(bytes)) }
    }
}

struct Forever;

impl Read for Forever {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        io::stdout().write_all(b"\nin the middle\n").unwrap();
        loop {
            std::thread::park();
        }
    }
}

/// Does nothing unless [`killed_in_the_middle`] asks for it.
#[test]
fn victim() {
    let Some(folder) = env::var_os(VICTIM) else { return };
    let built = two_files().build();
    let manifest = built.manifest.clone();
    let layers = Layers::open(Path::new(&folder)).unwrap();
    layers.unpack_from(&Stuck(built), &manifest, None, "stuck", &Options::default()).unwrap();
}

#[test]
fn killed_in_the_middle() {
    let Some(place) = Place::new() else { return };
    let store = place.folder.path().join("layers");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "unpack::killed::victim", "--nocapture"])
        .env(VICTIM, &store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.map_while(Result::ok).any(|line| line == "in the middle"));
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")).len(), 1, "it is alive");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.layers.list().unwrap(), []);
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")), Vec::<String>::new());
    assert!(place.unpack(&two_files()).unwrap()[0].is_new);
}

/// Kills where nobody says how many; and at most, as each takes a process.
const KILLS: u64 = 10;
const MAX_KILLS: u64 = 60;
/// Tells the process that unpacks and removes until it is killed where to.
const TOILER: &str = "BOLTSEAL_TEST_UNPACK_ALWAYS";

/// Three layers of forty executables each.
fn tools() -> Image {
    let layer = |number: usize| {
        (0..40).fold(Layer::new(), |layer, at| {
            layer.executable(&format!("bin/{number}/{at}"), format!("{number} {at}").repeat(at * 100))
        })
    };
    Image::new().layer(layer(1)).layer(layer(2)).layer(layer(3))
}

/// Does nothing unless [`killed_at_any_moment`] asks for it.
#[test]
fn unpacks_until_it_is_killed() {
    let Some(folder) = env::var_os(TOILER) else { return };
    let at = tempfile::tempdir_in(Path::new(&folder).parent().unwrap()).unwrap();
    tools().build().write_oci(at.path(), None);
    let target = format!("oci:{}", at.path().display());
    io::stdout().write_all(b"\nbegins\n").unwrap();
    loop {
        let layers = Layers::open(Path::new(&folder)).unwrap();
        drop(layers.unpack(&target, &Options::default()).unwrap());
        layers.prune(&[]).unwrap();
    }
}

#[test]
fn killed_at_any_moment() {
    let Some(place) = Place::new() else { return };
    let store = place.folder.path().join("layers");
    let kills = env::var("BOLTSEAL_CRASH_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    for kill in 0..kills.min(MAX_KILLS) {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "unpack::killed::unpacks_until_it_is_killed", "--nocapture"])
            .env(TOILER, &store)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(said.by_ref().map_while(Result::ok).any(|line| line == "begins"));
        std::thread::sleep(std::time::Duration::from_micros(kill * 7919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let layers = Layers::open(&store).unwrap();
        assert_eq!(names(&store.join("unfinished")), Vec::<String>::new(), "kill {kill}");
        assert_eq!(names(&store.join("locks")).len(), layers.list().unwrap().len(), "kill {kill}");
        for diff_id in layers.list().unwrap() {
            let layer = layers.get(&diff_id).unwrap().unwrap();
            assert_eq!(layer.index.executables.len(), 40, "kill {kill}");
            for one in &layer.index.executables {
                let path = layer.path.join(&one.path);
                let meta = fs::metadata(&path).unwrap();
                let changed = (meta.ctime(), u32::try_from(meta.ctime_nsec()).unwrap());
                assert_eq!((meta.ino(), changed), (one.inode, one.changed), "kill {kill}, {}", one.path);
                assert_eq!(Digest::of(&fs::read(&path).unwrap()), one.sha256, "kill {kill}, {}", one.path);
            }
        }
    }
    assert_eq!(place.unpack(&tools()).unwrap().len(), 3);
}
