# looks_unfenced.sed - a safety bug for `make mutants`.
# SPDX-License-Identifier: Apache-2.0
# says a late guard takes the folder in which the runner looks once more
# file runner/transports/drive.sh
# test tests/system/node_test run nobody_takes_the_folder_in_which_one_looks : run: nobody_takes_the_folder_in_which_one_looks
/^    \[ "\$FD_DIR" -ef .proc.self.fd.9 \] \|\| return$/d
s/^            fenced 50 undo_in_scratch$/            undo_in_scratch/
