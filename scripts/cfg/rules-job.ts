/** Rules about jobs, their conditions and commands. The columns are told in rule-table.ts. */
export const jobRules = `
job-type ; E ; 3.1+ ; trigger ; init skips it ; write an object with name and cmds
job-name ; E ; 3.1+ ; trigger ; init skips the job ; give it a "name" as a string
job-name-long ; E ; 5.0.0+ ; trigger ; the queue of jobs stops at a name above 255 characters ; shorten it
job-idle ; H ; 3.1+ ; trigger ; nothing in this file runs it, and it is no boot stage ; name it in "trigger" or in the jobs of a service
job-deaf ; E ; 3.1+ ; trigger ; a param: job fires by its condition, never by its name ; give it a condition such as "a.b=1"
job-empty ; W ; 3.1+ ; trigger ; the job does nothing ; give it "cmds", an array of strings
condition-type ; E ; 3.1+ ; trigger ; init takes it as no condition ; write a string
condition-operator ; E ; 3.1+ ; trigger ; the job is lost ; write && and || in full
condition-parens ; E ; 3.1+ ; trigger ; the job is lost or never fires ; close every parenthesis
condition-operand ; E ; 3.1+ ; trigger ; the condition fails at run time, the job never fires ; put a comparison on both sides of && and ||
condition-compare ; E ; 3.1+ ; trigger ; init knows only NAME=VALUE, with "*" at the end of the value ; write it so, or split the job
condition-long ; E ; 3.1+ ; trigger ; a parameter name has at most 95 characters ; shorten it
cmd-type ; E ; 3.1+ ; trigger ; init skips it ; write a string
cmd-unknown ; E ; 3.1+ ; commands ; init takes it for a command of a plugin and does nothing, without a word ; use a command that init knows
cmd-early ; E ; 3.1+ ; commands ; this release does not know it and does nothing, without a word ; leave it out for this release
cmd-space ; E ; 3.1+ ; commands ; init matches its commands with the space behind the name: without it this is another, unknown one ; write the space
cmd-long-name ; E ; 3.1+ ; commands ; init skips a command whose name has more than 31 characters ; shorten it
cmd-few ; E ; 3.1+ ; commands ; init refuses the line when it runs ; give every word
cmd-many ; E ; 3.1+ ; commands ; init drops the words behind the last one that it takes, without a word ; put a script in between
cmd-tail ; E ; 3.1-3.2 ; commands ; up to 3.2 a space at the end is one more, empty word ; remove it
cmd-quote ; W ; 3.1+ ; commands ; quotes are ordinary characters and hold no words together ; put a script in between
cmd-tab ; W ; 3.1+ ; commands ; words are split at spaces only, a tab stays in the word ; use a space
cmd-dollar ; E ; 3.1+ ; commands ; "$" begins a parameter: without {NAME} the whole line fails ; write \${NAME} or put a script in between
cmd-shell ; W ; 3.1+ ; commands ; no shell reads the line, so the program gets these characters as they are ; put a script in between
cmd-glob ; W ; 3.1+ ; commands ; init does not expand patterns ; name every file, or put a script in between
cmd-relative ; E ; 3.1+ ; commands ; init looks the program up from /, without PATH ; write the absolute path
cmd-mode ; E ; 3.1+ ; commands ; the mode is read as octal and becomes 0 ; write a mode such as 0755
cmd-mkdir ; E ; 3.1+ ; commands ; mkdir takes PATH, PATH MODE or PATH MODE OWNER GROUP and refuses anything else ; give owner and group
cmd-order ; E ; 3.1+ ; commands ; the words stand in another order than init takes them ; write chmod MODE PATH, chown OWNER GROUP PATH
cmd-mount-flag ; E ; 3.1+ ; commands ; init compares by beginning: the word counts as the flag, its rest is lost ; give flags and data as words of their own
cmd-mount-data ; E ; 3.1+ ; commands ; init keeps 127 characters of mount data ; shorten it
cmd-wait ; W ; 3.1+ ; commands ; init waits 5 seconds at most, and everything else waits with it ; wait in the program
cmd-limit ; E ; 3.1+ ; commands ; init refuses the resource, or reads the value as 0 ; write setrlimit RLIMIT_X SOFT HARD with numbers or "unlimited"
cmd-param-long ; E ; 3.1+ ; commands ; a parameter name has at most 95 characters, a value 95 (const.: 4095) ; shorten it
cmd-write-tail ; H ; 3.1+ ; commands ; write does not shorten a file: the rest of a longer old content stays ; write below /proc, /sys and /dev only
cmd-block ; H ; 3.2+ ; commands ; init waits for the program, and everything else waits with it ; bound its run time
cmd-trigger ; H ; 3.1+ ; trigger ; this file has no such job ; make sure another file does
onrestart-lead ; E ; 3.2+ ; commands ; in onrestart a space before the command shifts the whole line ; remove it
onrestart-long ; E ; 3.2+ ; commands ; in onrestart a line has at most 255 characters behind the command ; shorten it
`;
