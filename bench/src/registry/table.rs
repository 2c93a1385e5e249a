//! Ours beside the peer's, figure by figure.

use crate::figures::Figures;

/// What one run of a workload took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Requests that were answered.
    pub requests: usize,
    /// Milliseconds of server CPU, with what was still done after the last answer: judging, sealing the log.
    pub cpu: f64,
    /// The same up to the last answer.
    pub cpu_answered: f64,
    /// Milliseconds from the first request to the last answer.
    pub wall: f64,
    /// Milliseconds that the middle request took.
    pub p50: f64,
    /// Milliseconds that all but one of a hundred requests stayed under.
    pub p99: f64,
    /// Largest resident set meanwhile, MiB.
    pub peak: f64,
}

/// What is said about a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Cpu,
    CpuAnswered,
    Rate,
    P50,
    P99,
    Peak,
}

const ALL: [Figure; 6] =
    [Figure::Cpu, Figure::CpuAnswered, Figure::Rate, Figure::P50, Figure::P99, Figure::Peak];

impl Figure {
    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "server CPU a request, ms",
            Self::CpuAnswered => "  of it until answered, ms",
            Self::Rate => "requests a second",
            Self::P50 => "half are answered within, ms",
            Self::P99 => "99 of 100 within, ms",
            Self::Peak => "memory at peak, MiB",
        }
    }

    fn of(self, sample: &Sample) -> f64 {
        let requests = sample.requests.max(1) as f64;
        match self {
            Self::Cpu => sample.cpu / requests,
            Self::CpuAnswered => sample.cpu_answered / requests,
            Self::Rate => requests / (sample.wall / 1e3),
            Self::P50 => sample.p50,
            Self::P99 => sample.p99,
            Self::Peak => sample.peak,
        }
    }

    fn figures(self, samples: &[Sample]) -> Figures {
        let mut figures = Figures::default();
        samples.iter().for_each(|sample| figures.push(self.of(sample)));
        figures
    }
}

/// A figure that ours should reach.
pub type Bar = (Figure, f64);

/// Everything measured, for the summary.
#[derive(Debug, Default)]
pub struct Table(Vec<(String, [f64; 3], [f64; 3])>);

impl Table {
    /// Prints one workload and keeps its medians.
    pub fn add(&mut self, name: &str, ours: &[Sample], peer: &[Sample], bars: &[Bar]) {
        let counts = |samples: &[Sample]| samples.iter().map(|s| s.requests).max().unwrap_or_default();
        let runs = ours.len();
        let requests = match (counts(ours), counts(peer)) {
            (ours, 0) => format!("{ours} requests"),
            (ours, peer) if ours == peer => format!("{ours} requests"),
            (ours, peer) => format!("{ours} and {peer} requests"),
        };
        println!("\n{name}  ({requests}, {runs} runs)");
        for figure in ALL {
            let bar = bars.iter().find(|(which, _)| *which == figure).map(|(_, bar)| *bar);
            line(figure.name(), figure == Figure::Rate, &figure.figures(ours), &figure.figures(peer), bar);
        }
        let medians = |samples| [Figure::Cpu, Figure::Rate, Figure::P99].map(|f| f.figures(samples).median());
        self.0.push((name.to_owned(), medians(ours), medians(peer)));
    }

    /// One line a workload: medians, and how many times better ours is.
    pub fn print_summary(&self) {
        println!(
            "\n{:57} {:^33} {:^25} {:^25}",
            "medians: ours, peer, times", "server CPU a request, ms", "requests a second", "99 of 100, ms"
        );
        for (name, ours, peer) in &self.0 {
            let [cpu, rate, late] = [0, 1, 2].map(|n| (ours[n], peer[n]));
            println!(
                "{name:57} {:>10} {:>11} {:>10} {:>8} {:>8} {:>7} {:>8} {:>8} {:>7}",
                shown(cpu.0),
                shown(cpu.1),
                times(cpu.1, cpu.0),
                shown(rate.0),
                shown(rate.1),
                times(rate.0, rate.1),
                shown(late.0),
                shown(late.1),
                times(late.1, late.0),
            );
        }
    }
}

/// One figure: best and median of ours and of the peer's, and how many times better our median is.
pub fn line(name: &str, more_is_better: bool, ours: &Figures, peer: &Figures, bar: Option<f64>) {
    let best = |figures: &Figures| if more_is_better { figures.most() } else { figures.least() };
    let pair = |figures: &Figures| match figures.count() {
        0 => "-".to_owned(),
        _ => format!("{} / {}", shown(best(figures)), shown(figures.median())),
    };
    let (mine, theirs) = (ours.median(), peer.median());
    let times = if more_is_better { times(mine, theirs) } else { times(theirs, mine) };
    let bar = bar.map_or_else(String::new, |bar| {
        let met = if more_is_better { mine >= bar } else { mine <= bar };
        format!("  bar {}: {}", shown(bar), if met { "met" } else { "MISSED" })
    });
    println!("  {name:44} {:>21} {:>21} {times:>8}{bar}", pair(ours), pair(peer));
}

/// The head over the lines.
pub fn print_head() {
    println!("\n{:46} {:>21} {:>21} {:>8}", "", "ours best / median", "peer best / median", "times");
}

fn times(more: f64, less: f64) -> String {
    if more > 0.0 && less > 0.0 { format!("{:.2}", more / less) } else { "-".to_owned() }
}

/// Three digits that matter.
fn shown(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v if v >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}
