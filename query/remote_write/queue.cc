#include "query/remote_write/queue.h"

#include <algorithm>

#include "query/history/journal.h"

namespace vigia::remote_write {
namespace {

// How often an idle queue looks for more.
constexpr std::chrono::milliseconds kPoll = 500ms;
// How soon it asks again for descriptions where nothing has been collected yet.
constexpr std::chrono::milliseconds kNothingYet = 2s;

void Add(Counters::Count& count, std::uint64_t n) { count.fetch_add(n, std::memory_order_relaxed); }

}  // namespace

Queue::Queue(Endpoint endpoint, Context context, Clock& clock)
    : endpoint_(std::move(endpoint)),
      context_(std::move(context)),
      clock_(clock),
      file_(context_.folder / ("remote-write-" + endpoint_.name)),
      on_change_([this](std::string_view message, const Error* error) {
        if (context_.on_change) context_.on_change(message, endpoint_.name, error);
      }),
      health_(on_change_),
      labelling_(context_.external_labels, endpoint_.relabeling),
      metadata_due_(clock.Now()) {
  const auto progress = Load();
  segment_ = progress.done.segment;
  offset_ = progress.done.offset;
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

Queue::~Queue() = default;

Progress Queue::Load() {
  auto progress = LoadProgress(file_);
  if (progress) return *progress;
  const auto error = progress.error();
  on_change_("remote write starts from the begin of the journal", &error);
  return {};
}

void Queue::Save(const Progress& progress) {
  segment_.store(progress.done.segment, std::memory_order_relaxed);
  offset_.store(progress.done.offset, std::memory_order_relaxed);
  const auto status = SaveProgress(file_, progress);
  if (const bool failed = !status; std::exchange(cannot_save_, failed) != failed) {
    on_change_(failed ? "remote write cannot save its position" : "remote write saves its position",
               failed ? &status.error() : nullptr);
  }
  if (context_.on_progress) context_.on_progress();
}

void Queue::Run(std::stop_token stop) {
  auto progress = Load();
  read_ = progress.done;
  reader_ = std::make_unique<history::JournalReader>(context_.folder, progress.done);
  Entries entries;
  if (progress.until != progress.done) {
    ReadUntil(progress.until, entries);
    if (!SendPortion(entries, stop)) return;
    Save({read_, read_});
  }
  while (!stop.stop_requested()) {
    const JournalPosition done = read_;
    entries.clear();
    const bool gathered = Gather(entries, stop);
    if (!SendMetadata(stop)) return;
    if (!gathered) continue;
    // Those who are killed from here on send the same again.
    Save({done, read_});
    if (!SendPortion(entries, stop)) return;
    Save({read_, read_});
  }
}

// What was under way when the process ended, record by record up to where it went.
void Queue::ReadUntil(JournalPosition until, Entries& entries) {
  while (read_ < until) {
    const std::size_t before = entries.size();
    if (!ReadMore(1, entries) || entries.size() == before) return;  // the journal ends before
  }
}

// Reads about `count` samples; false if the journal cannot be read now.
bool Queue::ReadMore(std::size_t count, Entries& entries) {
  auto batch = reader_->Next(count);
  if (!batch) {
    on_change_("remote write cannot read the journal", &batch.error());
    return false;
  }
  if (batch->gap) {
    Add(counters_.gaps, 1);
    const Error error(ErrorCode::kCorrupt, "samples were removed before they were sent");
    on_change_("remote write has lost samples", &error);
  }
  read_ = batch->next;
  entries.insert(entries.end(), std::make_move_iterator(batch->entries.begin()),
                 std::make_move_iterator(batch->entries.end()));
  return true;
}

// Reads until there is a portion to send: `capacity` samples; or as many as a request takes, if
// there are no more; or any, once the first has waited for batch_send_deadline. False if there is
// nothing yet, or it was stopped.
bool Queue::Gather(Entries& entries, std::stop_token stop) {
  const auto& queue = endpoint_.queue;
  const Instant begin = clock_.Now();
  Instant first = begin;
  while (!stop.stop_requested()) {
    const std::size_t before = entries.size();
    const bool readable = ReadMore(queue.capacity - before, entries);
    if (before == 0) first = clock_.Now();
    if (entries.size() >= queue.capacity) return true;
    if (readable && entries.size() > before) continue;
    const Instant due = first + queue.batch_send_deadline;
    const bool waited = clock_.Now() >= due;
    if (!entries.empty() && (waited || entries.size() >= queue.max_samples_per_send)) return true;
    if (entries.empty() && clock_.Now() >= metadata_due_) return false;
    const Instant next = clock_.Now() + kPoll;
    pause_.Until(clock_, entries.empty() ? next : std::min(next, due), stop);
  }
  return false;
}

// The first shard is served by this thread, which has all of them in the usual case.
bool Queue::SendPortion(const Entries& entries, std::stop_token stop) {
  labelling_.Trim();
  const auto limit = endpoint_.queue.sample_age_limit.count();
  const Timestamp oldest =
      limit == 0 ? std::numeric_limits<Timestamp>::min() : clock_.Wall() - limit;
  const auto portion = Divide(entries, endpoint_.queue, oldest, labelling_);
  Add(counters_.relabelled, portion.relabelled);
  Add(counters_.too_old, portion.too_old);
  counters_.shards.store(portion.shards.size(), std::memory_order_relaxed);
  std::atomic<bool> delivered = true;
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < portion.shards.size(); ++i) {
      if (portion.shards[i].empty()) continue;
      Sender& sender = SenderOf(i);
      others.emplace_back([&sender, &portion, &delivered, stop, i] {
        if (!sender.Send(portion.shards[i], stop)) delivered = false;
      });
    }
    if (!SenderOf(0).Send(portion.shards[0], stop)) delivered = false;
  }
  if (delivered) health_.EndPortion();
  return delivered;
}

// Once per interval; false if it was stopped.
bool Queue::SendMetadata(std::stop_token stop) {
  const auto& options = endpoint_.metadata;
  if (clock_.Now() < metadata_due_) return true;
  metadata_due_ = clock_.Now() + options.send_interval;
  if (!options.send || !context_.metadata) return true;
  const auto all = context_.metadata();
  if (all.empty()) metadata_due_ = clock_.Now() + std::min(options.send_interval, kNothingYet);
  for (std::size_t i = 0; i < all.size(); i += options.max_samples_per_send) {
    const auto count = std::min(options.max_samples_per_send, all.size() - i);
    if (!SenderOf(0).SendMetadata(std::span(all).subspan(i, count), stop)) return false;
  }
  return true;
}

Sender& Queue::SenderOf(std::size_t shard) {
  while (senders_.size() <= shard) {
    const auto seed = static_cast<std::uint64_t>(clock_.Wall()) * 31 + senders_.size();
    senders_.emplace_back(endpoint_, clock_, counters_, health_, seed);
  }
  return senders_[shard];
}

EndpointStats Queue::stats() const {
  const auto get = [](const auto& count) { return count.load(std::memory_order_relaxed); };
  EndpointStats stats;
  stats.name = endpoint_.name;
  stats.url = endpoint_.url;
  stats.samples = get(counters_.samples);
  stats.rejected = get(counters_.rejected);
  stats.relabelled = get(counters_.relabelled);
  stats.too_old = get(counters_.too_old);
  stats.metadata = get(counters_.metadata);
  stats.requests = get(counters_.requests);
  stats.failures = get(counters_.failures);
  stats.refusals = get(counters_.refusals);
  stats.bytes = get(counters_.bytes);
  stats.gaps = get(counters_.gaps);
  stats.shards = get(counters_.shards);
  stats.newest = get(counters_.newest);
  const std::uint32_t segment = get(segment_);
  const std::uint64_t offset = get(offset_);
  for (const auto& [number, size] : history::ListSegments(context_.folder)) {
    if (number == segment) stats.pending_bytes += size - std::min(size, offset);
    if (number > segment) stats.pending_bytes += size;
  }
  return stats;
}

}  // namespace vigia::remote_write
