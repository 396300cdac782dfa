// The pages and their addresses. Each page is a chunk of its own.
import { createRouter, createWebHistory } from 'vue-router'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: to => ({ path: '/overview', query: to.query }) },
    { path: '/overview', name: 'overview', component: () => import('./pages/OverviewPage.vue') },
    { path: '/intrusion', name: 'intrusion', component: () => import('./pages/IntrusionPage.vue') },
    { path: '/incidents/:id', name: 'incident', component: () => import('./pages/IncidentPage.vue') },
    { path: '/explore', name: 'explore', component: () => import('./pages/ExplorePage.vue') },
    { path: '/health', name: 'health', component: () => import('./pages/HealthPage.vue') },
    { path: '/explain', name: 'explain', component: () => import('./pages/ExplainPage.vue') },
    { path: '/actor/:ip', name: 'actor', component: () => import('./pages/ActorPage.vue') },
    { path: '/:missing(.*)*', name: 'missing', component: () => import('./pages/MissingPage.vue') },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})

/** Fetches all pages after the first: a server that goes away, or is replaced, takes none from an open tab. */
export async function fetchPages(): Promise<void> {
  await router.isReady()
  const pages = router.getRoutes().map(route => route.components?.default)
  await Promise.allSettled(pages.map(page => (typeof page === 'function' ? (page as () => unknown)() : null)))
}

// Who goes by keyboard or listens goes on in the page that was opened, not at the top of the navigation.
router.afterEach((to, from) => {
  if (from.matched.length > 0 && to.path !== from.path)
    document.getElementById('content')?.focus({ preventScroll: true })
})
