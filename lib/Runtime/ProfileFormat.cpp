//===- ProfileFormat.cpp - shows where a model spends its time ------------===//

#include "tern/Runtime/Profile.h"

#include "MachineFormat.h"

#include "tern/Runtime/Stopwatch.h"
#include "tern/Runtime/Utf8.h"

#include <algorithm>
#include <cstdio>

using namespace tern::runtime;
using nlohmann::ordered_json;

namespace {

/// Columns of a name; what is longer loses its beginning, which tells least.
constexpr size_t kMostWidth = 60;

/// A line of the table.
struct Row {
  std::string name;
  int64_t calls;
  double seconds;
  double bytes, macs; // of all calls; 0: unknown
  double roofline;    // share of the nearer limit; 0: unknown
};

using Machine = std::optional<MachineSpeed>;

std::vector<Row> makeRows(const Profile::Summary &summary,
                          const Machine &machine) {
  // A rate of nothing is 0, which is unknown.
  double bytesPerSecond = machine ? machine->getWeightLimit() : 0;
  double macsPerSecond = machine ? machine->getMostProductsPerSecond() : 0;
  std::vector<Row> rows;
  for (const Profile::Kernel &kernel : summary.kernels) {
    double reading =
        perSecond(perSecond(kernel.bytes, kernel.seconds), bytesPerSecond);
    double multiplying =
        perSecond(perSecond(kernel.macs, kernel.seconds), macsPerSecond);
    rows.push_back(
        {kernel.description ? kernel.description->name : "other loops",
         kernel.calls, kernel.seconds, kernel.bytes, kernel.macs,
         std::max(reading, multiplying)});
  }
  rows.push_back({"outside of kernels: serial code, small loops", summary.calls,
                  summary.getSerialSeconds(), 0, 0, 0});
  return rows;
}

//===----------------------------------------------------------------------===//
// For people
//===----------------------------------------------------------------------===//

std::string print(const char *format, double value) {
  char text[64];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

std::string padLeft(std::string text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

/// A number in a column of `width`, or blanks for what is not known.
std::string printKnown(double value, size_t width) {
  return padLeft(value > 0 ? print("%.1f", value) : "", width);
}

/// A model's name as a terminal may have it: no control characters, which could
/// be commands to it.
std::string shorten(std::string name) {
  if (name.size() > kMostWidth)
    name = "..." + name.substr(name.size() - (kMostWidth - 3));
  for (char &c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      c = '?';
  return repairUtf8(name);
}

std::string trimRight(const std::string &text) {
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

std::string formatRow(const Row &row, size_t width, double total) {
  std::string name = shorten(row.name);
  name.resize(width, ' ');
  double calls = static_cast<double>(row.calls);
  return trimRight("  " + name + padLeft(std::to_string(row.calls), 9) +
                   print("%11.2f", row.seconds * 1e3) +
                   print("%7.1f", 100 * perSecond(row.seconds, total)) +
                   print("%11.1f", perSecond(row.seconds * 1e6, calls)) +
                   printKnown(row.bytes / std::max(calls, 1.0) / 1e6, 9) +
                   printKnown(perSecond(row.bytes, row.seconds) / 1e9, 9) +
                   printKnown(perSecond(row.macs, row.seconds) / 1e9, 10) +
                   printKnown(100 * row.roofline, 11));
}

std::string formatTable(const char *phase, const Profile::Summary &summary,
                        const Machine &machine) {
  std::vector<Row> rows = makeRows(summary, machine);
  size_t width = 0;
  for (const Row &row : rows)
    width = std::max(width, shorten(row.name).size());
  std::string text = std::string(phase) + ": " +
                     std::to_string(summary.tokens) + " tokens in " +
                     std::to_string(summary.calls) + " calls, " +
                     print("%.1f ms\n", summary.seconds * 1e3);
  std::string heading = "kernel";
  heading.resize(width, ' ');
  text += "  " + heading +
          "    calls         ms      %    us/call  MB/call     GB/s    GMAC/s";
  text += machine ? " roofline %\n" : "\n";
  for (const Row &row : rows)
    text += formatRow(row, width, summary.seconds);
  return text;
}

//===----------------------------------------------------------------------===//
// For programs
//===----------------------------------------------------------------------===//

ordered_json makePhase(const Profile::Summary &summary,
                       const Machine &machine) {
  ordered_json kernels = ordered_json::array();
  std::vector<Row> rows = makeRows(summary, machine);
  rows.pop_back(); // what is outside has a field of its own
  for (const Row &row : rows) {
    ordered_json kernel = {
        {"name", row.name}, {"calls", row.calls}, {"seconds", row.seconds}};
    if (row.bytes > 0) {
      kernel["bytes"] = row.bytes;
      kernel["gb_per_s"] = perSecond(row.bytes, row.seconds) / 1e9;
    }
    if (row.macs > 0) {
      kernel["macs"] = row.macs;
      kernel["gmac_per_s"] = perSecond(row.macs, row.seconds) / 1e9;
    }
    if (row.roofline > 0)
      kernel["roofline_share"] = row.roofline;
    kernels.push_back(std::move(kernel));
  }
  return {{"tokens", summary.tokens},
          {"calls", summary.calls},
          {"seconds", summary.seconds},
          {"outside_seconds", summary.getSerialSeconds()},
          {"kernels", std::move(kernels)}};
}

} // namespace

std::string
tern::runtime::formatProfile(const Profile &profile,
                             const std::optional<MachineSpeed> &machine,
                             bool json) {
  ordered_json object;
  object["machine"] = machine ? makeJson(*machine) : ordered_json(nullptr);
  std::string text;
  const std::pair<Profile::Phase, const char *> phases[] = {
      {Profile::Prefill, "prefill"}, {Profile::Decode, "decode"}};
  for (auto [phase, name] : phases) {
    Profile::Summary summary = profile.summarize(phase);
    if (summary.calls == 0)
      continue;
    object[name] = makePhase(summary, machine);
    text += "\n" + formatTable(name, summary, machine);
  }
  if (json)
    // Names are the model's, and may be no UTF-8.
    return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
           "\n";
  return text + "\nroofline: " +
         (machine ? formatReading(*machine) + ", " +
                        formatMultiplying(*machine) + "\n"
                  : "unknown, for lack of memory or threads to measure the "
                    "machine\n");
}
