//! The tests' conda, under its own name.

use std::path::Path;

use super::{clients_venv, files};

/// Makes `conda` a program in `home/bin`, and its settings those of `home`. What the carried conda
/// lacks is `conda run`: an installed program is run itself.
pub(crate) fn put_into(home: &Path) {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = clients_venv().join("bin/python");
    std::fs::create_dir_all(home.join("bin")).unwrap();
    let conda = format!(
        "#!/bin/sh\nexec {} -B {root}/tests/clients/conda_main.py \"$@\"\n",
        python.display()
    );
    std::fs::write(home.join("bin/conda"), conda).unwrap();
    files::set_mode(&home.join("bin/conda"), 0o755);
    let at = home.display();
    let settings = format!(
        "solver: classic\nsat_solver: pysat\nreport_errors: false\nnotify_outdated_conda: false\n\
         pkgs_dirs: [{at}/packages]\nenvs_dirs: [{at}/environments]\ndefault_channels: []\n"
    );
    std::fs::write(home.join(".condarc"), settings).unwrap();
}
