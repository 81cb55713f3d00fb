package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// internalPrefix begins the topics that Kafka and its tools keep for themselves.
const internalPrefix = "__"

// TopicMatcher decides which topics feed a table.
type TopicMatcher struct {
	topics []string
	regex  *regexp.Regexp
}

// Matcher compiles the table's choice of topics.
func (t Table) Matcher() (TopicMatcher, error) {
	if t.TopicsRegex == "" {
		return TopicMatcher{topics: t.Topics}, nil
	}
	re, err := regexp.Compile("^(?:" + t.TopicsRegex + ")$")
	if err != nil {
		return TopicMatcher{}, fmt.Errorf("compiling topics_regex of %s: %w", t.Name, err)
	}
	return TopicMatcher{regex: re}, nil
}

// Match reports whether the topic feeds the table. A topic that is named may be internal; one that only
// matches may not.
func (m TopicMatcher) Match(topic string) bool {
	if m.regex != nil {
		return !strings.HasPrefix(topic, internalPrefix) && m.regex.MatchString(topic)
	}
	return slices.Contains(m.topics, topic)
}

// Dynamic reports whether topics that do not exist yet can match.
func (m TopicMatcher) Dynamic() bool { return m.regex != nil }
