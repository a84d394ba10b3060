//! The command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let report = anysync_conformance::Suite::new().run();
    print!("{report}");
    ExitCode::from(u8::from(!report.is_success()))
}
