//! What is asked of a registry, and how often.
//!
//! The first sixteen are the workloads of zot's `zb` that need one server, rebuilt: a request is a whole push or a whole
//! pull. `zb` picks sizes by chance; here they come round in a fixed order, so that both servers get the same. It pushes
//! the same bytes to every repository; here no two layers are alike, so that every byte must be stored.

use anyhow::{Context as _, Result};

use super::{
    connection::Connection,
    content::{Image, Layers},
    subject::Subject,
    table::{Bar, Figure},
    transfers::{How, check, get, pull, push, push_in_parallel},
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A workload.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub name: &'static str,
    /// Connections at the same time.
    pub clients: usize,
    /// Requests of a run, and of a quick one.
    pub requests: [usize; 2],
    pub work: Work,
    pub bars: &'static [Bar],
}

/// What a request is.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// GET of the list of repositories, of which there are some.
    Catalog,
    /// A push to a repository of its own, of sizes in turn.
    Push { how: How, sizes: &'static [usize] },
    /// A pull of one of the images, in turn.
    Pull { sizes: &'static [usize] },
    /// Three pulls, then a push.
    Mixed { size: usize },
    /// GET of a manifest by tag or by digest, with an annotation of so many bytes.
    Manifest { by_digest: bool, annotation: usize },
    /// GET of a blob.
    Blob { size: usize },
    /// A pull of the same image of several layers as everybody else.
    Together { layers: usize, size: usize },
    /// A push of an image of several layers, over four connections.
    Layers { layers: usize, size: usize },
}

const fn zb(name: &'static str, requests: [usize; 2], work: Work) -> Workload {
    // `zb -c 2` is the example in its documentation.
    Workload { name, clients: 2, requests, work, bars: &[] }
}

const SMALL: [usize; 2] = [100, 10];
const MEDIUM: [usize; 2] = [30, 4];
const LARGE: [usize; 2] = [6, 2];
const MIX: [usize; 2] = [20, 10];

/// 20 % of 1 MB, 70 % of 10 MB, 10 % of 100 MB.
const MOSTLY_MEDIUM: &[usize] =
    &[MIB, 10 * MIB, 10 * MIB, 10 * MIB, 100 * MIB, 10 * MIB, 10 * MIB, MIB, 10 * MIB, 10 * MIB];
/// A third each.
const EVENLY: &[usize] = &[MIB, 10 * MIB, 100 * MIB];

const fn push_of(how: How, sizes: &'static [usize]) -> Work {
    Work::Push { how, sizes }
}

pub const ALL: &[Workload] = &[
    zb("catalog", [2_000, 200], Work::Catalog),
    zb("push monolith 1 MB", SMALL, push_of(How::Monolith, &[MIB])),
    zb("push monolith 10 MB", MEDIUM, push_of(How::Monolith, &[10 * MIB])),
    zb("push monolith 100 MB", LARGE, push_of(How::Monolith, &[100 * MIB])),
    zb("push stream 1 MB", SMALL, push_of(How::Stream, &[MIB])),
    zb("push stream 10 MB", MEDIUM, push_of(How::Stream, &[10 * MIB])),
    zb("push stream 100 MB", LARGE, push_of(How::Stream, &[100 * MIB])),
    zb("pull 1 MB", [1_000, 100], Work::Pull { sizes: &[MIB] }),
    zb("pull 10 MB", [200, 20], Work::Pull { sizes: &[10 * MIB] }),
    zb("pull 100 MB", [20, 4], Work::Pull { sizes: &[100 * MIB] }),
    zb("pull 20% 1 MB, 70% 10 MB, 10% 100 MB", [200, 20], Work::Pull { sizes: MOSTLY_MEDIUM }),
    zb("push monolith 20% 1 MB, 70% 10 MB, 10% 100 MB", MIX, push_of(How::Monolith, MOSTLY_MEDIUM)),
    zb("push stream 33% 1 MB, 33% 10 MB, 33% 100 MB", [12, 3], push_of(How::Stream, EVENLY)),
    zb("pull 75%, push 25%, 1 MB", [400, 40], Work::Mixed { size: MIB }),
    zb("pull 75%, push 25%, 10 MB", [80, 8], Work::Mixed { size: 10 * MIB }),
    zb("pull 75%, push 25%, 100 MB", [12, 4], Work::Mixed { size: 100 * MIB }),
    Workload {
        name: "manifest by tag",
        clients: 64,
        requests: [60_000, 5_000],
        work: Work::Manifest { by_digest: false, annotation: 0 },
        bars: &[(Figure::Cpu, 0.1), (Figure::Rate, 15_000.0)],
    },
    Workload {
        name: "manifest by digest",
        clients: 64,
        requests: [60_000, 5_000],
        work: Work::Manifest { by_digest: true, annotation: 0 },
        bars: &[(Figure::Cpu, 0.1), (Figure::Rate, 15_000.0)],
    },
    Workload {
        name: "manifest of 10 kB by tag",
        clients: 64,
        requests: [60_000, 5_000],
        work: Work::Manifest { by_digest: false, annotation: 10_000 },
        bars: &[],
    },
    Workload {
        name: "blob of 21 kB",
        clients: 16,
        requests: [40_000, 4_000],
        work: Work::Blob { size: 21_000 },
        bars: &[(Figure::Cpu, 0.08)],
    },
    Workload {
        name: "blob of 170 MB",
        clients: 4,
        requests: [20, 4],
        work: Work::Blob { size: 170_000_000 },
        bars: &[],
    },
    Workload {
        name: "100 pulls of one image at once",
        clients: 100,
        requests: [500, 100],
        work: Work::Together { layers: 6, size: 512 * KIB },
        bars: &[(Figure::Peak, 100.0)],
    },
    Workload {
        name: "push of a layer of 170 MB",
        clients: 1,
        requests: [1, 1],
        work: Work::Layers { layers: 1, size: 170_000_000 },
        bars: &[(Figure::CpuAnswered, 400.0), (Figure::Peak, 100.0)],
    },
    Workload {
        name: "push of 60 layers of 21 kB",
        clients: 1,
        requests: [1, 1],
        work: Work::Layers { layers: 60, size: 21_000 },
        bars: &[(Figure::P50, 1_500.0)],
    },
];

/// Images of a catalog that is not large.
const REPOSITORIES: usize = 50;

/// One request of a workload.
pub type Step<'a> = Box<dyn Fn(&mut Connection<'_>, usize) -> Result<()> + Sync + 'a>;

impl Workload {
    /// Whether each run needs an empty folder, because it leaves something behind.
    pub fn is_fresh(&self) -> bool {
        matches!(self.work, Work::Push { .. } | Work::Mixed { .. } | Work::Layers { .. })
    }

    /// What is pushed: by the requests, where they push, else before them.
    pub fn images(&self, requests: usize) -> Result<Vec<Image>> {
        let one = |size, number| Layers::of(size).number(number);
        let each = |sizes: &[usize], count: usize| {
            let templates: Vec<Layers> = sizes.iter().map(|size| Layers::of(*size)).collect();
            let images = templates.iter().cycle().zip(0..count as u64);
            images.map(|(layers, number)| Image::of(vec![layers.number(number)])).collect()
        };
        let several = |layers, size| {
            let template = Layers::of(size);
            Ok(vec![Image::of((0..layers as u64).map(|number| template.number(number)).collect())?])
        };
        match self.work {
            Work::Catalog => each(&[1_000], REPOSITORIES),
            Work::Push { sizes, .. } => each(sizes, requests),
            Work::Pull { sizes } => each(sizes, sizes.len()),
            Work::Mixed { size } => each(&[size], 1 + requests.div_ceil(4)),
            Work::Manifest { annotation, .. } => {
                Ok(vec![Image::annotated(vec![one(21_000, 0)], annotation)?])
            }
            Work::Blob { size } => Ok(vec![Image::of(vec![one(size, 0)])?]),
            Work::Together { layers, size } | Work::Layers { layers, size } => several(layers, size),
        }
    }

    /// Gives a server what must be there before the first request.
    pub fn fill(&self, subject: &Subject, images: &[Image]) -> Result<()> {
        let before = match self.work {
            Work::Push { .. } | Work::Layers { .. } => 0,
            Work::Mixed { .. } => 1,
            _ => images.len(),
        };
        let mut connection = Connection::new(subject)?;
        for (number, image) in images.iter().take(before).enumerate() {
            push(&mut connection, &filled(number), "latest", image, How::Monolith)?;
        }
        for (number, image) in images.iter().take(before).enumerate() {
            subject.wait_until_served(&filled(number), "latest")?;
            check(&mut connection, &filled(number), image)?;
        }
        Ok(())
    }

    /// The function that does a request.
    pub fn step<'a>(&self, subject: &'a Subject, images: &'a [Image]) -> Result<Step<'a>> {
        let at = move |number: usize| images.get(number % images.len()).context("no such image");
        Ok(match self.work {
            Work::Catalog => Box::new(|connection, _| get(connection, "/v2/_catalog")),
            Work::Push { how, .. } => Box::new(move |connection, number| {
                push(connection, &format!("pushed/{number}"), "latest", at(number)?, how)
            }),
            Work::Pull { .. } => Box::new(move |connection, number| {
                pull(connection, &filled(number % images.len()), "latest", at(number)?)
            }),
            Work::Mixed { .. } => Box::new(move |connection, number| match number % 4 {
                3 => push(
                    connection,
                    &format!("pushed/{number}"),
                    "latest",
                    at(1 + number / 4)?,
                    How::Monolith,
                ),
                _ => pull(connection, &filled(0), "latest", at(0)?),
            }),
            Work::Manifest { by_digest, .. } => {
                let named = if by_digest { at(0)?.digest().to_string() } else { "latest".to_owned() };
                let path = format!("/v2/{}/manifests/{named}", filled(0));
                Box::new(move |connection, _| get(connection, &path))
            }
            Work::Blob { .. } => {
                let blob = at(0)?.blobs.first().context("no layer")?;
                let path = format!("/v2/{}/blobs/{}", filled(0), blob.digest);
                Box::new(move |connection, _| get(connection, &path))
            }
            Work::Together { .. } => {
                Box::new(move |connection, _| pull(connection, &filled(0), "latest", at(0)?))
            }
            Work::Layers { .. } => {
                Box::new(move |_, number| push_in_parallel(subject, &format!("pushed/{number}"), at(number)?))
            }
        })
    }
}

fn filled(number: usize) -> String {
    format!("filled/{number}")
}
