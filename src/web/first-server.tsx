/** @jsxRuntime automatic @jsxImportSource preact */
/** What to do while the fleet is empty, in place of an empty chart and an empty table. */

export function FirstServer() {
  return (
    <section class="card first-server" id="servers" tabIndex={-1} aria-labelledby="servers-heading">
      <div class="card-head">
        <h2 id="servers-heading">Add your first simulation server</h2>
      </div>
      <ul>
        <li>
          <b>In the configuration:</b> add its address to <code>"simulationServers"</code>, for example{' '}
          <code>["sim1.example.org:2000"]</code>, and save the file. <code>session-server setup</code> writes it for you.
        </li>
        <li>
          <b>Here:</b> sign in with a token and add it under <i>Operator actions</i>.
        </li>
        <li>
          <b>By itself:</b> switch on <code>"registration"</code>, and enter the address of this session server under{' '}
          <code>"notify"</code> in the configuration of the simulation server.
        </li>
      </ul>
    </section>
  );
}
