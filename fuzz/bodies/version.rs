//! Any three texts as versions: antisymmetric, transitive, and refused for what they are alone.

use boltseal_ecosystem::{ALL, Ecosystem};

/// First byte: the ecosystem. The rest: versions, one a line, of which the first three are compared.
pub fn body(data: &[u8]) {
    let [which, text @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut lines = text.split('\n');
    let (Some(a), Some(b), Some(c)) = (lines.next(), lines.next(), lines.next()) else { return };
    order(ALL[usize::from(*which) % ALL.len()], a, b, c);
}

/// The laws of a total order, and that an error depends on the text alone.
pub fn order(ecosystem: &dyn Ecosystem, a: &str, b: &str, c: &str) {
    let valid =
        |text: &str| ecosystem.compare(text, text).map(|order| assert!(order.is_eq(), "{text:?}")).is_ok();
    let name = ecosystem.id();
    for (x, y) in [(a, b), (b, c), (a, c)] {
        let order = ecosystem.compare(x, y);
        assert_eq!(order.is_ok(), valid(x) && valid(y), "{name}: {x:?} {y:?}");
        assert_eq!(
            order.ok().map(std::cmp::Ordering::reverse),
            ecosystem.compare(y, x).ok(),
            "{name}: {x:?} {y:?}"
        );
    }
    // Maven's own order is not transitive: `1-alpha` < `1` < `1.sp` < `1-alpha`. Advisories are written for it as it is.
    if name == "maven" {
        return;
    }
    if let (Ok(ab), Ok(bc), Ok(ac)) =
        (ecosystem.compare(a, b), ecosystem.compare(b, c), ecosystem.compare(a, c))
    {
        let expected = if ab.is_eq() { Some(bc) } else { (bc.is_eq() || ab == bc).then_some(ab) };
        assert!(
            expected.is_none_or(|expected| expected == ac),
            "{name}: {a:?} {ab:?} {b:?} {bc:?} {c:?}, but {ac:?}"
        );
    }
}
