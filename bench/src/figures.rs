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

    /// `name: median unit (min … max, n runs)`.
    pub fn print(&self, name: &str, unit: &str) {
        let (least, most) =
            (self.0.first().copied().unwrap_or_default(), self.0.last().copied().unwrap_or_default());
        println!(
            "{name:44} {:>10.2} {unit:6} ({least:.2} … {most:.2}, {} runs)",
            self.median(),
            self.0.len()
        );
    }
}

/// Prints how `ours` compares with `theirs`.
pub fn print_ratio(name: &str, theirs: &Figures, ours: &Figures) {
    if ours.median() > 0.0 {
        println!("{name:44} {:>10.1} times", theirs.median() / ours.median());
    }
}
