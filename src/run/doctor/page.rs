//! The findings, for people and for programs.

use std::fmt::Write as _;

use serde_json::json;

use crate::domain::symbol::Market;

use super::verdict::{Finding, State, can_run};

/// How the findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoctorFormat {
    /// A line each.
    Text,
    /// One object.
    Json,
}

/// The findings as text.
pub fn write(findings: &[Finding], format: DoctorFormat) -> String {
    match format {
        DoctorFormat::Text => text(findings),
        DoctorFormat::Json => format!("{}\n", object(findings)),
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Off => "off",
        State::Warn => "warn",
        State::Fail => "FAIL",
    }
}

fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for f in findings {
        let market = f.market.map_or("", |m| m.as_str());
        let name = f.check.name();
        // Writing to a string does not fail.
        let _ = write!(out, "{:<4}  {market:<4}  {name:<9}  {}", word(f.state), f.what);
        if let Some(cure) = &f.cure {
            let _ = write!(out, ". Cure: {cure}");
        }
        out.push('\n');
    }
    out.push_str(if can_run(findings) {
        "\nhamatop can do its job here.\n"
    } else {
        "\nhamatop can't do its job here; the lines that say FAIL name what to do.\n"
    });
    out
}

fn object(findings: &[Finding]) -> serde_json::Value {
    let checks: Vec<_> = findings
        .iter()
        .map(|f| {
            json!({
                "check": f.check.name(),
                "market": f.market.map(Market::as_str),
                "state": word(f.state).to_ascii_lowercase(),
                "what": f.what,
                "cure": f.cure,
            })
        })
        .collect();
    json!({ "can_run": can_run(findings), "checks": checks })
}
