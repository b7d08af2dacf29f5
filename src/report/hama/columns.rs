//! The columns of the result, in their order: one table for the header and both formats.

use crate::domain::hama::{HamaPoint, Sign, Strength};
use crate::domain::time::UnixMs;

/// One field of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Unknown,
    Integer(i64),
    Number(f64),
    Word(&'static str),
}

/// One column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) cell: fn(UnixMs, &HamaPoint) -> Cell,
}

macro_rules! columns {
    ($($name:literal => |$time:pat_param, $point:ident| $cell:expr;)+) => {
        pub(super) const COLUMNS: &[Column] =
            &[$(Column { name: $name, cell: |$time: UnixMs, $point: &HamaPoint| $cell },)+];
    };
}

columns! {
    "open_time" => |t, _p| Cell::Integer(t.0);
    "hama_open" => |_, p| number(p.open);
    "hama_high" => |_, p| number(p.high);
    "hama_low" => |_, p| number(p.low);
    "hama_close" => |_, p| number(p.close);
    "ma" => |_, p| number(p.ma);
    "color" => |_, p| Cell::Word(p.color.as_str());
    "open_slope" => |_, p| sign(p.open_slope);
    "gradient_dir" => |_, p| sign(p.gradient.map(|g| g.dir));
    "gradient_steps" => |_, p| integer(p.gradient.map(|g| g.steps));
    "ma_slope" => |_, p| sign(p.ma_slope);
    "side" => |_, p| sign(p.side);
    "dev_pct" => |_, p| number(p.dev_pct);
    "trend" => |_, p| sign(p.trend);
    "strength" => |_, p| word(p.strength.map(Strength::as_str));
    "cross" => |_, p| word(p.cross.and_then(up_down));
    "flip" => |_, p| Cell::Integer(i64::from(p.flip));
    "last_cross_dir" => |_, p| sign(p.last_cross.map(|c| c.dir));
    "cross_inferred" => |_, p| integer(p.last_cross.map(|c| u8::from(c.inferred)));
    "bars_since_cross" => |_, p| integer(p.last_cross.and_then(|c| c.time.map(|_| c.bars)));
    "bb_basis" => |_, p| number(p.bands.map(|b| b.basis));
    "bb_upper" => |_, p| number(p.bands.map(|b| b.upper));
    "bb_lower" => |_, p| number(p.bands.map(|b| b.lower));
    "bb_width" => |_, p| number(p.bands.map(|b| b.width));
    "bb_pos" => |_, p| number(p.bands.and_then(|b| b.pos));
    "bb_state" => |_, p| word(p.bands.map(|b| b.state.as_str()));
    "bb_break" => |_, p| word(p.bands.and_then(|b| b.breakout).and_then(up_down));
    "score" => |_, p| number(p.score);
}

fn number(x: Option<f64>) -> Cell {
    x.map_or(Cell::Unknown, Cell::Number)
}

fn integer(x: Option<impl Into<i64>>) -> Cell {
    x.map_or(Cell::Unknown, |x| Cell::Integer(x.into()))
}

fn sign(x: Option<Sign>) -> Cell {
    integer(x.map(Sign::as_i8))
}

fn word(x: Option<&'static str>) -> Cell {
    x.map_or(Cell::Unknown, Cell::Word)
}

fn up_down(sign: Sign) -> Option<&'static str> {
    match sign {
        Sign::Up => Some("up"),
        Sign::Down => Some("down"),
        Sign::Flat => None,
    }
}
