// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/log.h"
#include "vmm/base/result.h"
#include "vmm/devices/input/input_event.h"
#include "vmm/display/frame_mailbox.h"
#include "vmm/host/placement.h"
#include "vmm/machine/machine_config.h"
#include "vmm/machine/machine_sample.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

enum class MachineState {
    Ready, // built, never started
    Running,
    Paused,
    Ended,
};

// Why a machine ended.
struct MachineEnding {
    enum class Reason {
        PoweredOff, // the guest switched itself off
        Halted, // HLT with interrupts off: nothing can wake it again
        Reset, // the guest asked for a reset and the configuration says not to reboot
        Crashed, // triple fault, or the engine cannot go on
        Stopped, // stop() was called
        DebugExit, // the guest wrote to its debug exit port
    };

    Reason reason;
    std::string why; // one sentence
    uint32_t value = 0; // DebugExit: what the guest wrote

    // DebugExit: what a program returns to the shell for it, 2 value + 1 as far as 8 bits hold it. Never 0.
    int exitCode() const { return static_cast<uint8_t>(2 * value + 1); }
};

// An engine as a user may choose it, and why this host cannot serve it, in a sentence; empty where it can.
struct EngineOffer {
    std::string name; // as moveToEngine() takes it
    std::string trouble;
};

// A guest that changed engines while its machine lived.
struct EngineMove {
    std::chrono::nanoseconds hostTime {}; // as in MachineSample
    std::chrono::nanoseconds guestTime {};
    std::string from;
    std::string to;
    std::string reason;
};

// What a machine tells its owner. Called on the machine's own threads: return soon, and call no function of the machine
// that waits (stop, the destructor).
class MachineListener {
public:
    virtual ~MachineListener() = default;

    virtual void stateChanged(MachineState) = 0;
    virtual void serialOutput(std::span<const uint8_t>) = 0; // what the guest sent through COM1, in order
    virtual void rebooted() = 0; // the guest was reset and starts again
};

// One VM: what a user starts and stops. Every call is safe from any thread, and none but stop(), the destructor and
// waitForEnd() waits for the guest.
//
// Threads: one board thread ("the VMM": timers, input, display), one thread per vCPU and, where there is a network, one
// for its NAT, made by start() and joined when the machine has ended. vCPU threads run the engine; a device access runs
// on the vCPU's thread under the board lock, which the NAT's thread never takes.
class Machine {
public:
    // Reads what the guest starts from, builds the board and loads the guest. Fails with a sentence for the user.
    // The listener, if any, outlives the machine.
    static Result<std::unique_ptr<Machine>> create(const MachineConfig&, MachineListener* = nullptr);
    virtual ~Machine() = default; // stops it

    virtual const MachineConfig& config() const = 0;
    virtual MachineState state() const = 0;
    virtual std::optional<MachineEnding> ending() const = 0; // set exactly when Ended

    virtual void start() = 0; // from Ready or Paused; otherwise nothing
    virtual void pause() = 0; // from Running; otherwise nothing. The guest's clock stands still
    virtual void reset() = 0; // pulls the reset line; loads the guest again
    virtual void pressPowerButton() = 0;
    virtual void stop() = 0; // cuts the power: ends as Stopped unless it has ended. Waits until its threads are gone
    virtual bool waitForEnd(std::chrono::milliseconds) = 0; // false: it has not ended in that time

    virtual void sendInput(const InputEvent&) = 0; // keys are queued until the guest's keyboard has room for them
    virtual void sendNmi() = 0; // the diagnostic button of servers; without effect while the guest masks it
    virtual void sendSerial(std::span<const uint8_t>) = 0; // to the guest's COM1; queued until the guest takes it

    // A new viewer of the screen. The mailbox gets the whole picture soon, then changes; it lives until removeViewer()
    // or the machine's end of life. The notifier runs on the board thread.
    virtual FrameMailbox& addViewer(std::function<void()> notifier) = 0;
    virtual void removeViewer(FrameMailbox&) = 0;

    // Moves the threads, now or as soon as they exist. Fails where the host does not allow it, and then nothing moves.
    virtual Result<void> place(const Placement&) = 0;

    // Carries the guest over to another engine, wherever it is: "auto", "soft", "soft:interpreter" or "kvm". Waits for
    // that, which takes some milliseconds; not from a listener. Fails with a sentence where the other engine cannot
    // serve or the machine has ended, and then all is as before.
    virtual Result<void> moveToEngine(std::string_view name) = 0;

    // The engines to move to. Looks at the host, which costs some system calls.
    virtual std::vector<EngineOffer> engineOffers() const = 0;
    // The moves so far, in order; of a great many the latest.
    virtual std::vector<EngineMove> engineMoves() const = 0;

    // The engine and why it was chosen.
    virtual std::string engineName() const = 0;
    virtual std::string engineReason() const = 0;

    // The figures of this moment: counters, CPU time, places. Costs some microseconds per thread.
    virtual MachineSample sample() const = 0;

    virtual const Log& log() const = 0;
};

} // namespace namsan
