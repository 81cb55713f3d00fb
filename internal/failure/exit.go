package failure

// The exit codes of the ingestd command (sysexits where they exist).
const (
	ExitOK      = 0
	ExitFailed  = 1
	ExitUsage   = 2
	ExitRetry   = 75
	ExitConfig  = 78
	ExitSignals = 130
)

// ExitCode maps an error to the process's exit code.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	switch ClassOf(err) {
	case Config:
		return ExitConfig
	case Retry, Unknown:
		return ExitRetry
	default:
		return ExitFailed
	}
}
