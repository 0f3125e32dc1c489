# SPDX-License-Identifier: ISC
# sysusers.awk: the users and groups of sandbox_rows.def as sysusers.d(5) has
# them. Each daemon has a user of its own; a group is shared where files are.
BEGIN {
	FS = "\""
	print "# Users of Barid's daemons. Made from the table of what each may touch."
	print "u barid - \"Barid mail system\" - -"
}
/^ROW\(/ && $2 != "" {
	if (!($4 in group)) {
		group[$4] = 1
		print "g barid-" $4 " - - - -"
	}
	if (!($2 in user)) {
		user[$2] = 1
		print "u barid-" $2 " -:barid-" $4 " \"Barid " $2 "\" - -"
	}
}
