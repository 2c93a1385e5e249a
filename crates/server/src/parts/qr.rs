//! A QR code as inline SVG.

use std::fmt::Write as _;

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

/// Empty modules around it (ISO/IEC 18004 section 6.3.8).
const QUIET: usize = 4;

/// The code of `text`, dark on white whatever the theme; nothing where it is too long for one.
pub(crate) fn qr(text: &str, label: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let side = code.width() + 2 * QUIET;
    let mut path = String::new();
    for (index, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let (x, y) = (index % code.width() + QUIET, index / code.width() + QUIET);
        // Writing to a text cannot fail.
        let _written = write!(path, "M{x} {y}h1v1h-1z");
    }
    Some(html! {
        svg.qr viewBox={ "0 0 " (side) " " (side) } shape-rendering="crispEdges" role="img" aria-label=(label) {
            rect width=(side) height=(side) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_square_and_has_finders() {
        let code = qr("otpauth://totp/x?secret=GEZDGNBV", "code").unwrap().into_string();
        assert!(code.contains("viewBox=\"0 0 37 37\""), "{code:.200}");
        for corner in ["M4 4h", "M32 4h", "M4 32h"] {
            assert!(code.contains(corner), "{corner}");
        }
        assert!(!code.contains("M3 "), "the margin stays empty");
        assert!(qr(&"x".repeat(5000), "code").is_none());
    }
}
