//===- ProfileTest.cpp - what a profile counts ----------------------------===//

#include "tern/Runtime/Profile.h"

#include "FakeModel.h"

#include "tern/Runtime/DecodingState.h"
#include "tern/Runtime/Error.h"
#include "tern/Runtime/Session.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace tern::runtime;
using namespace tern::test;
using nlohmann::json;

namespace {

void first(void *, int64_t, int64_t) {}
void second(void *context, int64_t begin, int64_t end) {
  *static_cast<int64_t *>(context) += end - begin;
}
void third(void *, int64_t, int64_t) { FAIL(); }

constexpr TernKernel kKernels[] = {
    {first, "layers.*.up", 1000, 0, 50},
    {second, "head", 7, 300, 0},
    {nullptr, nullptr, 0, 0, 0},
};

constexpr MachineSpeed kMachine = {"generic", 2, 4000, 1000};

const Profile::Kernel *find(const Profile::Summary &summary,
                            const TernKernel *description) {
  for (const Profile::Kernel &kernel : summary.kernels)
    if (kernel.description == description)
      return &kernel;
  return nullptr;
}

/// Three tokens at once, then one and one.
Profile makeProfile() {
  Profile profile(kKernels);
  profile.addLoop(first, 0.5);
  profile.addLoop(first, 0.25);
  profile.addLoop(second, 1);
  profile.addCall(3, 2);
  for (int i = 0; i < 2; ++i) {
    profile.addLoop(second, 0.25);
    profile.addLoop(third, 0.125);
    profile.addCall(1, 0.5);
  }
  return profile;
}

TEST(Profile, CountsWhatArithmeticSays) {
  Profile profile = makeProfile();
  Profile::Summary prefill = profile.summarize(Profile::Prefill);
  EXPECT_EQ(prefill.calls, 1);
  EXPECT_EQ(prefill.tokens, 3);
  EXPECT_EQ(prefill.seconds, 2);
  EXPECT_EQ(prefill.getSerialSeconds(), 0.25);
  ASSERT_EQ(prefill.kernels.size(), 2u);
  EXPECT_EQ(prefill.kernels[0].description, &kKernels[1]); // the longest
  EXPECT_EQ(prefill.kernels[0].macs, 300);
  EXPECT_EQ(prefill.kernels[1].calls, 2);
  EXPECT_EQ(prefill.kernels[1].seconds, 0.75);
  EXPECT_EQ(prefill.kernels[1].bytes, 2 * 1000);
  EXPECT_EQ(prefill.kernels[1].macs, 2 * 3 * 50);

  Profile::Summary decode = profile.summarize(Profile::Decode);
  EXPECT_EQ(decode.calls, 2);
  EXPECT_EQ(decode.tokens, 2);
  EXPECT_EQ(decode.getSerialSeconds(), 0.25);
  EXPECT_EQ(find(decode, &kKernels[0]), nullptr);
  EXPECT_EQ(find(decode, &kKernels[1])->macs, 2 * 300);
  EXPECT_EQ(find(decode, &kKernels[1])->bytes, 2 * 7);
  EXPECT_EQ(find(decode, nullptr)->calls, 2); // `third` is in no table
  EXPECT_EQ(find(decode, nullptr)->bytes, 0);
}

TEST(Profile, NeedsNoTable) {
  Profile profile(nullptr);
  profile.addLoop(first, 1);
  profile.addCall(1, 1);
  EXPECT_EQ(find(profile.summarize(Profile::Decode), nullptr)->calls, 1);
  EXPECT_EQ(profile.summarize(Profile::Prefill).calls, 0);
}

TEST(Profile, IsJson) {
  json all = json::parse(formatProfile(makeProfile(), kMachine, true));
  EXPECT_EQ(all["machine"]["threads"], 2);
  const json &prefill = all["prefill"];
  EXPECT_EQ(prefill["outside_seconds"], 0.25);
  const json &up = prefill["kernels"][1];
  EXPECT_EQ(up["name"], "layers.*.up");
  EXPECT_EQ(up["macs"], 300);
  // 2,000 bytes in 0.75 s of 4,000 a second; 300 products of 1,000.
  EXPECT_DOUBLE_EQ(up["roofline_share"], 2000 / 0.75 / 4000);
  const json &head = prefill["kernels"][0];
  EXPECT_DOUBLE_EQ(head["roofline_share"], 0.3);
  EXPECT_DOUBLE_EQ(head["gmac_per_s"], 300e-9);
  EXPECT_EQ(all["decode"]["kernels"][1]["name"], "other loops");
  EXPECT_FALSE(all["decode"]["kernels"][1].contains("bytes"));
}

// The limit of a level with tiles is theirs; both are told.
TEST(Profile, TakesTilesForTheRoofline) {
  const MachineSpeed machine = {"amx", 2, 4e15, 1000, 2000};
  json all = json::parse(formatProfile(makeProfile(), machine, true));
  EXPECT_DOUBLE_EQ(all["prefill"]["kernels"][0]["roofline_share"], 0.15);
  EXPECT_DOUBLE_EQ(all["machine"]["int8_gmac_per_s"], 1000e-9);
  EXPECT_DOUBLE_EQ(all["machine"]["int8_tile_gmac_per_s"], 2000e-9);
  EXPECT_NE(formatProfile(makeProfile(), machine, false)
                .find("0.0 GMAC/s in int8, 0.0 in tiles (2 threads, amx)"),
            std::string::npos);
  json plain = json::parse(formatProfile(makeProfile(), kMachine, true));
  EXPECT_FALSE(plain["machine"].contains("int8_tile_gmac_per_s"));
}

// The limit of weights is how fast they are read where they lie.
TEST(Profile, TakesTheWeightsForTheRoofline) {
  MachineSpeed machine = {"amx", 2, 4e15, 1e15};
  machine.weightBytesPerSecond = 2000;
  json all = json::parse(formatProfile(makeProfile(), machine, true));
  EXPECT_DOUBLE_EQ(all["machine"]["weights_gb_per_s"], 2000e-9);
  json slower = json::parse(formatProfile(makeProfile(), kMachine, true));
  EXPECT_FALSE(slower["machine"].contains("weights_gb_per_s"));
  const json &kernel = all["prefill"]["kernels"][1];
  const json &same = slower["prefill"]["kernels"][1];
  EXPECT_DOUBLE_EQ(kernel["roofline_share"], 2000 / 0.75 / 2000);
  EXPECT_DOUBLE_EQ(same["roofline_share"], 2000 / 0.75 / 4000);
  EXPECT_NE(formatProfile(makeProfile(), machine, false)
                .find("0.0 of the weights where they lie, "),
            std::string::npos);
}

TEST(Profile, DoesWithoutTheMachine) {
  json all = json::parse(formatProfile(makeProfile(), std::nullopt, true));
  EXPECT_TRUE(all.at("machine").is_null());
  const json &up = all["prefill"]["kernels"][1];
  EXPECT_EQ(up["macs"], 300);
  EXPECT_FALSE(up.contains("roofline_share"));
}

TEST(Profile, SurvivesNamesOfAnyBytesAndLength) {
  const std::string name = "\xff" + std::string(200, 'x') + "\x1b[2J";
  const TernKernel kernels[] = {{first, name.c_str(), 0, 0, 0},
                                {nullptr, nullptr, 0, 0, 0}};
  Profile profile(kernels);
  profile.addLoop(first, 1);
  profile.addCall(1, 1);
  EXPECT_TRUE(json::accept(formatProfile(profile, kMachine, true)));
  std::string table = formatProfile(profile, kMachine, false);
  EXPECT_NE(table.find("  ..." + std::string(53, 'x') + "?[2J "),
            std::string::npos);
  EXPECT_EQ(table.find("prefill"), std::string::npos); // there was none
}

int64_t covered = 0;

void stepInLoops(const TernHost *host, const int64_t *tokens, int64_t count,
                 int64_t, void *const *, int64_t, int64_t, float *) {
  host->parallel_for(host->self, 5, second, &covered);
  if (tokens[0] == 7)
    host->fail(host->self, "seven");
  for (int64_t i = 0; i < count; ++i)
    host->parallel_for(host->self, 2, first, nullptr);
}

// The loops still run; a call that fails counts for nothing, and calls before
// and after are not timed.
TEST(Profile, TimesTheCallsOfASession) {
  const TernVariant variant = {"portable", 0, nullptr, stepInLoops, kKernels};
  TernModel model = *findFakeModel("in-place");
  model.variants = &variant;
  model.num_variants = 1;
  Session session(model, 1);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  state->feed({1});
  Profile profile(session.getVariant().kernels);
  session.setProfile(&profile);
  covered = 0;
  state->feed({1, 2, 3});
  EXPECT_THROW(state->feed({7}), InputError);
  state->feed({4});
  session.setProfile(nullptr);
  state->feed({1});
  EXPECT_EQ(covered, 4 * 5);
  Profile::Summary prefill = profile.summarize(Profile::Prefill);
  EXPECT_EQ(prefill.tokens, 3);
  EXPECT_EQ(find(prefill, &kKernels[0])->calls, 3);
  EXPECT_EQ(find(prefill, &kKernels[1])->calls, 1);
  Profile::Summary decode = profile.summarize(Profile::Decode);
  EXPECT_EQ(decode.calls, 1);
  EXPECT_EQ(find(decode, &kKernels[0])->calls, 1);
  EXPECT_EQ(find(decode, &kKernels[1])->calls, 1);
  EXPECT_GE(decode.getSerialSeconds(), 0);
}

// A model without a step reads ids by its graph.
TEST(Profile, CountsTheTokensOfAGraph) {
  Session session(*findFakeModel("returned"), 1);
  std::unique_ptr<DecodingState> state = DecodingState::create(session);
  Profile profile(nullptr);
  session.setProfile(&profile);
  state->feed({1, 2, 3, 4});
  state->feed({5});
  EXPECT_EQ(profile.summarize(Profile::Prefill).tokens, 4);
  EXPECT_EQ(profile.summarize(Profile::Decode).calls, 1);
}

} // namespace
