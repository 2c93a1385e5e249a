//! Runs, and what to say about them.

/// Several measurements of one thing.
#[derive(Clone, Debug, Default)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// Adds one.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The middle one; 0 when there is none.
    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The smallest; 0 when there is none.
    pub fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    /// The largest; 0 when there is none.
    pub fn most(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// `name: median unit (min … max, n runs)`.
    pub fn print(&self, name: &str, unit: &str) {
        println!(
            "{name:44} {:>10.2} {unit:6} ({:.2} … {:.2}, {} runs)",
            self.median(),
            self.least(),
            self.most(),
            self.count()
        );
    }
}

/// Prints how `ours` compares with `theirs`.
pub fn print_ratio(name: &str, theirs: &Figures, ours: &Figures) {
    if ours.median() > 0.0 {
        println!("{name:44} {:>10.1} times", theirs.median() / ours.median());
    }
}
